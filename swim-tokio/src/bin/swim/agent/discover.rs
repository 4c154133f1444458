//! Finding the others of a cluster on the local network by multicast DNS (serf spec 9.4).

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use mdns_sd::{IfKind, ResolvedService, ServiceDaemon, ServiceEvent, ServiceInfo, TxtProperty};
use swim_tokio::agent::AgentConfig;
use swim_tokio::serf::SerfHandle;
use tokio::time::timeout;

use super::joins;

/// Announces this node and joins those that it hears of, until this is dropped.
pub(crate) struct Discovery(ServiceDaemon);

impl Discovery {
    /// None if no cluster is named.
    pub(crate) fn start(config: &AgentConfig, handle: &SerfHandle) -> Result<Option<Self>, String> {
        if config.discover.is_empty() {
            return Ok(None);
        }
        let fail = |e: mdns_sd::Error| format!("discover: {e}");
        let daemon = ServiceDaemon::new().map_err(fail)?;
        let discovery = Self(daemon);
        discovery.choose_interfaces(config).map_err(fail)?;
        let service = format!("_serf_{}._tcp.local.", config.discover);
        // Serf's names may be longer than the 15 bytes of RFC 6763.
        discovery.0.set_service_name_len_max(SERVICE_BYTES_MAX).map_err(fail)?;
        let me = handle.advertised_addr();
        let text = format!("Serf '{}' cluster", config.discover);
        let host = format!("{}.local.", handle.name());
        let info = ServiceInfo::new(
            &service,
            handle.name().as_str(),
            &host,
            me.ip(),
            me.port(),
            vec![TxtProperty::from(text.as_str())],
        );
        discovery.0.register(info.map_err(fail)?).map_err(fail)?;
        let found = discovery.0.browse(&service).map_err(fail)?;
        let replay = config.replay_on_join;
        tokio::spawn(follow(found, handle.clone(), replay));
        Ok(Some(discovery))
    }

    fn choose_interfaces(&self, config: &AgentConfig) -> mdns_sd::Result<()> {
        let mdns = &config.mdns;
        let named = [&mdns.interface, &config.interface].into_iter().find(|name| !name.is_empty());
        if let Some(name) = named {
            self.0.disable_interface(IfKind::All)?;
            self.0.enable_interface(IfKind::Name(name.clone()))?;
        }
        if mdns.disable_ipv4 {
            self.0.disable_interface(IfKind::IPv4)?;
        }
        if mdns.disable_ipv6 {
            self.0.disable_interface(IfKind::IPv6)?;
        }
        Ok(())
    }
}

impl Drop for Discovery {
    fn drop(&mut self) {
        // The thread ends anyway with the program.
        let _ = self.0.shutdown();
    }
}

/// Joins whom it hears of, each once; those that it hears of together, together.
async fn follow(found: mdns_sd::Receiver<ServiceEvent>, handle: SerfHandle, replay: bool) {
    let mut known = BTreeSet::from([handle.advertised_addr()]);
    let mut new = Vec::new();
    loop {
        let event = if new.is_empty() {
            found.recv_async().await
        } else {
            match timeout(QUIET, found.recv_async()).await {
                Ok(event) => event,
                Err(_) => {
                    let seeds: Vec<String> =
                        new.drain(..).map(|addr: SocketAddr| addr.to_string()).collect();
                    if let Err(why) = joins::join(&handle, &seeds, replay).await {
                        tracing::warn!("error joining: {why}");
                    }
                    continue;
                }
            }
        };
        match event {
            Ok(ServiceEvent::ServiceResolved(service)) if known.len() < KNOWN_MAX => {
                new.extend(addrs(&service).filter(|addr| known.insert(*addr)));
            }
            Ok(_) => {}
            // The agent ends.
            Err(_) => return,
        }
    }
}

fn addrs(service: &ResolvedService) -> impl Iterator<Item = SocketAddr> {
    let ips = service.addresses.iter().map(|ip| ip.to_ip_addr());
    // A link-local address without its interface leads nowhere.
    let usable = ips.filter(|ip| match ip {
        IpAddr::V4(_) => true,
        IpAddr::V6(ip) => !ip.is_unicast_link_local(),
    });
    let port = service.port;
    usable.map(move |ip| SocketAddr::new(ip, port)).collect::<Vec<_>>().into_iter()
}

/// Those who answer at about the same time are joined together, as with Serf.
const QUIET: Duration = Duration::from_millis(100);
/// Anybody on the network can claim any number of addresses.
const KNOWN_MAX: usize = 4096;
const SERVICE_BYTES_MAX: u8 = 30;
