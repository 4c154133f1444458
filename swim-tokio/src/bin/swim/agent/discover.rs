//! Finding the others of a cluster on the local network by multicast DNS (serf spec 9.4).

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use mdns_sd::{
    DaemonEvent, IfKind, ResolvedService, ServiceDaemon, ServiceEvent, ServiceInfo, TxtProperty,
};
use swim_tokio::agent::{AgentConfig, interface_addrs};
use swim_tokio::serf::SerfHandle;
use tokio::time::{Instant, timeout_at};

use super::joins;

/// What is wrong with what the settings say about it, before anything is sent.
///
/// The library finds some of it later, and says so to nobody.
pub(crate) fn check(config: &AgentConfig) -> Result<(), String> {
    let (name, mdns) = (&config.discover, &config.mdns);
    if name.is_empty() {
        return Ok(());
    }
    let wrong = |why: &str| Err(format!("discover: {name:?} {why}"));
    match name.len() {
        0..=NAME_BYTES_MAX => {}
        n => return wrong(&format!("has {n} bytes, at most {NAME_BYTES_MAX}")),
    }
    if name.contains('.') || name.contains("--") || name.ends_with('-') {
        return wrong("has a dot, two dashes in a row or a dash at its end");
    }
    if mdns.disable_ipv4 && mdns.disable_ipv6 {
        return wrong("cannot be found: mdns disables both IPv4 and IPv6");
    }
    if let Some(interface) = interface(config) {
        let addrs = interface_addrs(interface).map_err(|e| format!("discover: {e}"))?;
        let usable =
            |ip: &IpAddr| if ip.is_ipv4() { !mdns.disable_ipv4 } else { !mdns.disable_ipv6 };
        if !addrs.iter().any(usable) {
            let why = format!("cannot be found on interface {interface:?}: no usable address");
            return wrong(&why);
        }
    }
    Ok(())
}

/// The only one to ask on, if there is one.
fn interface(config: &AgentConfig) -> Option<&String> {
    [&config.mdns.interface, &config.interface].into_iter().find(|name| !name.is_empty())
}

/// Announces this node and joins those that it hears of, until this is dropped.
pub(crate) struct Discovery(ServiceDaemon);

impl Discovery {
    /// None if no cluster is named.
    pub(crate) fn start(config: &AgentConfig, handle: &SerfHandle) -> Result<Option<Self>, String> {
        if config.discover.is_empty() {
            return Ok(None);
        }
        let fail = |e: mdns_sd::Error| format!("discover: {:?}: {e}", config.discover);
        let name = handle.name().as_str();
        if name.len() > LABEL_BYTES_MAX {
            let n = name.len();
            return Err(format!(
                "discover: node name {name:?} has {n} bytes, at most {LABEL_BYTES_MAX}"
            ));
        }
        let daemon = ServiceDaemon::new().map_err(fail)?;
        let discovery = Self(daemon);
        discovery.choose_interfaces(config).map_err(fail)?;
        let service = format!("_serf_{}._tcp.local.", config.discover);
        // Serf's names may be longer than the 15 bytes of RFC 6763.
        discovery.0.set_service_name_len_max(SERVICE_BYTES_MAX).map_err(fail)?;
        let me = handle.advertised_addr();
        let text = format!("Serf '{}' cluster", config.discover);
        let host = format!("{name}.local.");
        let info = ServiceInfo::new(
            &service,
            name,
            &host,
            me.ip(),
            me.port(),
            vec![TxtProperty::from(text.as_str())],
        );
        tokio::spawn(tell_of_errors(discovery.0.monitor().map_err(fail)?));
        discovery.0.register(info.map_err(fail)?).map_err(fail)?;
        let found = discovery.0.browse(&service).map_err(fail)?;
        let replay = config.replay_on_join;
        tokio::spawn(follow(found, handle.clone(), replay));
        Ok(Some(discovery))
    }

    fn choose_interfaces(&self, config: &AgentConfig) -> mdns_sd::Result<()> {
        let mdns = &config.mdns;
        if let Some(name) = interface(config) {
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

/// Logs what goes wrong later on.
async fn tell_of_errors(events: mdns_sd::Receiver<DaemonEvent>) {
    while let Ok(event) = events.recv_async().await {
        if let DaemonEvent::Error(e) = event {
            tracing::warn!("discover: {e}");
        }
    }
}

/// Joins whom it hears of, each once; those that it hears of together, together.
async fn follow(found: mdns_sd::Receiver<ServiceEvent>, handle: SerfHandle, replay: bool) {
    let mut known = BTreeSet::from([handle.advertised_addr()]);
    let mut new: Vec<SocketAddr> = Vec::new();
    let mut due = Instant::now();
    loop {
        let event = if new.is_empty() {
            found.recv_async().await
        } else {
            match timeout_at(due, found.recv_async()).await {
                Ok(event) => event,
                Err(_) => {
                    let seeds: Vec<String> = new.iter().map(SocketAddr::to_string).collect();
                    if let Err(why) = joins::join(&handle, &seeds, replay).await {
                        tracing::warn!("error joining: {why}");
                        // They may not have been up yet; what they announce again is tried again.
                        known.retain(|addr| !new.contains(addr));
                    }
                    new.clear();
                    continue;
                }
            }
        };
        match event {
            Ok(ServiceEvent::ServiceResolved(service)) => {
                if new.is_empty() {
                    due = Instant::now() + TOGETHER;
                }
                for addr in addrs(&service) {
                    if known.len() < KNOWN_MAX && known.insert(addr) {
                        new.push(addr);
                        if known.len() == KNOWN_MAX {
                            tracing::warn!(
                                "discover: no more than {KNOWN_MAX} addresses are tried"
                            );
                        }
                    }
                }
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
const TOGETHER: Duration = Duration::from_millis(100);
/// Anybody on the network can claim any number of addresses.
const KNOWN_MAX: usize = 4096;
/// As long as the library allows.
const SERVICE_BYTES_MAX: u8 = 30;
const NAME_BYTES_MAX: usize = SERVICE_BYTES_MAX as usize - "serf_".len();
/// RFC 1035.
const LABEL_BYTES_MAX: usize = 63;

#[cfg(test)]
mod tests {
    use super::*;

    fn config(json: &str) -> AgentConfig {
        AgentConfig::parse(json).unwrap()
    }

    #[test]
    fn what_could_never_be_found_is_refused_with_its_value() {
        let long = "x".repeat(26);
        let too_long = format!(r#"{{"discover": "{long}"}}"#);
        let says_long = format!("discover: {long:?} has 26 bytes, at most 25");
        let odd = "has a dot, two dashes in a row or a dash at its end";
        for (json, says) in [
            (&*too_long, &*says_long),
            (r#"{"discover": "a.b"}"#, &format!("discover: \"a.b\" {odd}")),
            (r#"{"discover": "a--b"}"#, &format!("discover: \"a--b\" {odd}")),
            (r#"{"discover": "a-"}"#, &format!("discover: \"a-\" {odd}")),
            (
                r#"{"discover": "x", "mdns": {"disable_ipv4": true, "disable_ipv6": true}}"#,
                "discover: \"x\" cannot be found: mdns disables both IPv4 and IPv6",
            ),
            (
                r#"{"discover": "x", "mdns": {"interface": "no-such-one"}}"#,
                "discover: interface \"no-such-one\": there is none of this name",
            ),
            (
                r#"{"discover": "x", "interface": "no-such-one"}"#,
                "discover: interface \"no-such-one\": there is none of this name",
            ),
        ] {
            assert_eq!(check(&config(json)).unwrap_err(), says, "{json}");
        }
        for json in [r#"{"mdns": {"interface": "no-such-one"}}"#, r#"{"discover": "a-b_c"}"#] {
            check(&config(json)).unwrap();
        }
        check(&config(&too_long.replacen('x', "", 1))).unwrap();
    }
}
