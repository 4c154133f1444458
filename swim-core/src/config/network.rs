//! A network, as a list of allowed addresses names it.

use core::fmt;
use core::net::IpAddr;

use super::ConfigError;

/// A network in CIDR form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    ip: IpAddr,
    prefix_bits: u8,
}

impl Network {
    /// The network of the first `prefix_bits` of `ip`, if there are that many.
    pub fn new(ip: IpAddr, prefix_bits: u8) -> Result<Self, ConfigError> {
        let bits_max = if ip.is_ipv4() { 32 } else { 128 };
        if prefix_bits > bits_max {
            return Err(ConfigError::Prefix { prefix_bits, bits_max });
        }
        Ok(Self { ip, prefix_bits })
    }

    /// The address it was made of.
    pub const fn ip(&self) -> IpAddr {
        self.ip
    }

    /// How many bits of it count.
    pub const fn prefix_bits(&self) -> u8 {
        self.prefix_bits
    }

    /// Whether `ip` lies in the network; a mapped IPv4 address counts as IPv4.
    pub fn contains(&self, ip: IpAddr) -> bool {
        let bits = u32::from(self.prefix_bits);
        match (self.ip.to_canonical(), ip.to_canonical()) {
            (IpAddr::V4(net), IpAddr::V4(ip)) => {
                (net.to_bits() ^ ip.to_bits()).checked_shr(32 - bits.min(32)).unwrap_or(0) == 0
            }
            (IpAddr::V6(net), IpAddr::V6(ip)) => {
                (net.to_bits() ^ ip.to_bits()).checked_shr(128 - bits.min(128)).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

impl core::str::FromStr for Network {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let (ip, bits) = text.split_once('/').ok_or(ConfigError::NotCidr)?;
        let ip = ip.parse().map_err(|_| ConfigError::NotCidr)?;
        Self::new(ip, bits.parse().map_err(|_| ConfigError::NotCidr)?)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.ip, self.prefix_bits)
    }
}

/// As `address/bits`.
#[cfg(feature = "serde")]
impl serde::Serialize for Network {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Network {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <alloc::borrow::Cow<'de, str>>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_contain_what_they_say() {
        let net: Network = "10.1.0.0/16".parse().unwrap();
        assert!(net.contains("10.1.2.3".parse().unwrap()));
        assert!(net.contains("::ffff:10.1.2.3".parse().unwrap()));
        assert!(!net.contains("10.2.2.3".parse().unwrap()));
        assert!("0.0.0.0/0".parse::<Network>().unwrap().contains("1.2.3.4".parse().unwrap()));
        assert!("::/0".parse::<Network>().unwrap().contains("::1".parse().unwrap()));
        assert!("10.0.0.0/33".parse::<Network>().is_err());
        assert!("ten".parse::<Network>().is_err());
    }
}
