//! How one source of configuration adds to another.

use std::time::Duration;

use super::{AgentConfig, MdnsConfig};

impl AgentConfig {
    /// Adds what `later` says: its values take the place of earlier ones, its lists are appended,
    /// its tags are added one by one, and what it turns on is on.
    pub fn merge(&mut self, later: Self) {
        let Self {
            node_name,
            bind,
            interface,
            advertise,
            rpc_addr,
            rpc_auth,
            encrypt_key,
            keyring_file,
            label,
            tags,
            tags_file,
            role,
            profile,
            protocol,
            start_join,
            retry_join,
            retry_interval,
            retry_max_attempts,
            replay_on_join,
            snapshot_path,
            rejoin_after_leave,
            event_handlers,
            discover,
            mdns,
            log_level,
            enable_syslog,
            syslog_facility,
            broadcast_timeout,
            enable_compression,
            leave_on_terminate,
            skip_leave_on_interrupt,
            reconnect_interval,
            reconnect_timeout,
            tombstone_timeout,
            disable_name_resolution,
            disable_coordinates,
            validate_node_names,
            query_size_limit,
            query_response_size_limit,
            user_event_size_limit,
            metrics_addr,
            journal_path,
            statsite_addr,
            statsd_addr,
        } = later;
        for (mine, its) in [
            (&mut self.node_name, node_name),
            (&mut self.bind, bind),
            (&mut self.interface, interface),
            (&mut self.advertise, advertise),
            (&mut self.rpc_addr, rpc_addr),
            (&mut self.rpc_auth, rpc_auth),
            (&mut self.encrypt_key, encrypt_key),
            (&mut self.keyring_file, keyring_file),
            (&mut self.label, label),
            (&mut self.tags_file, tags_file),
            (&mut self.role, role),
            (&mut self.profile, profile),
            (&mut self.snapshot_path, snapshot_path),
            (&mut self.discover, discover),
            (&mut self.log_level, log_level),
            (&mut self.syslog_facility, syslog_facility),
            (&mut self.metrics_addr, metrics_addr),
            (&mut self.journal_path, journal_path),
            (&mut self.statsite_addr, statsite_addr),
            (&mut self.statsd_addr, statsd_addr),
        ] {
            replace(mine, its);
        }
        for (mine, its) in [
            (&mut self.retry_interval, retry_interval),
            (&mut self.broadcast_timeout, broadcast_timeout),
            (&mut self.reconnect_interval, reconnect_interval),
            (&mut self.reconnect_timeout, reconnect_timeout),
            (&mut self.tombstone_timeout, tombstone_timeout),
        ] {
            replace::<Duration>(mine, its);
        }
        for (mine, its) in [
            (&mut self.retry_max_attempts, retry_max_attempts),
            (&mut self.query_size_limit, query_size_limit),
            (&mut self.query_response_size_limit, query_response_size_limit),
            (&mut self.user_event_size_limit, user_event_size_limit),
        ] {
            replace(mine, its);
        }
        replace(&mut self.protocol, protocol);
        for (mine, its) in [
            (&mut self.replay_on_join, replay_on_join),
            (&mut self.rejoin_after_leave, rejoin_after_leave),
            (&mut self.enable_syslog, enable_syslog),
            (&mut self.enable_compression, enable_compression),
            (&mut self.leave_on_terminate, leave_on_terminate),
            (&mut self.skip_leave_on_interrupt, skip_leave_on_interrupt),
            (&mut self.disable_name_resolution, disable_name_resolution),
            (&mut self.disable_coordinates, disable_coordinates),
            (&mut self.validate_node_names, validate_node_names),
        ] {
            *mine |= its;
        }
        self.tags.extend(tags);
        self.start_join.extend(start_join);
        self.retry_join.extend(retry_join);
        self.event_handlers.extend(event_handlers);
        self.mdns.merge(mdns);
    }
}

impl MdnsConfig {
    fn merge(&mut self, later: Self) {
        replace(&mut self.interface, later.interface);
        self.disable_ipv4 |= later.disable_ipv4;
        self.disable_ipv6 |= later.disable_ipv6;
    }
}

/// Unless it says nothing.
fn replace<T: Default + PartialEq>(mine: &mut T, its: T) {
    if its != T::default() {
        *mine = its;
    }
}
