//! Addresses on the web: where a front end comes from, where keys are fetched, and which machines
//! may be called at all.

use crate::invalid::Invalid;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{
    borrow::Cow,
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type},
};

/// The longest address, in characters: what every browser and proxy carries.
const MOST_ADDRESS_CHARS: usize = 2_000;

/// Whether this machine itself may be named in an address. Only a development server allows it, so that
/// a sign-in server or a front end may run beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loopback {
    /// Plain HTTP to this machine is accepted.
    Allowed,
    /// Everything is `https` and elsewhere.
    Refused,
}

impl Loopback {
    /// Whether a machine may be called for a brand: one that is public, and this one itself where it is allowed.
    pub fn lets(self, address: IpAddr) -> bool {
        match self {
            Self::Allowed => address.is_loopback() || is_public(address),
            Self::Refused => is_public(address),
        }
    }
}

/// An address as it is taken apart: `https://host:port/path`.
struct Parts<'a> {
    scheme: &'a str,
    host: &'a str,
    port: Option<&'a str>,
    path: &'a str,
}

impl<'a> Parts<'a> {
    /// Takes an address apart; `None` when it is not one we can call.
    fn of(text: &'a str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end)?;
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (authority, None),
        };
        let parts = Self { scheme, host, port, path };
        (parts.is_host() && parts.is_port() && parts.is_scheme()).then_some(parts)
    }

    /// A lower-case name or an address in figures; never a user, a space or an escape.
    ///
    /// What ends in a number is an address in figures to everybody who calls it, so it must be a plain one.
    /// Source: WHATWG URL, "ends in a number".
    fn is_host(&self) -> bool {
        if let Some(inner) = self.host.strip_prefix('[') {
            return inner.strip_suffix(']').is_some_and(|ip| ip.parse::<Ipv6Addr>().is_ok());
        }
        let last = self.host.rsplit('.').next().unwrap_or_default();
        let is_hexadecimal =
            last.strip_prefix("0x").is_some_and(|rest| rest.chars().all(|c| c.is_ascii_hexdigit()));
        if is_hexadecimal || last.chars().all(|c| c.is_ascii_digit()) {
            return self.host.parse::<Ipv4Addr>().is_ok();
        }
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '-' | '_'))
        };
        self.host.len() <= 253 && self.host.split('.').all(is_label)
    }

    fn is_port(&self) -> bool {
        self.port.is_none_or(|port| {
            !port.starts_with('0') && port.parse::<u16>().is_ok_and(|port| port > 0)
        })
    }

    /// Plain HTTP is for this machine only.
    fn is_scheme(&self) -> bool {
        match self.scheme {
            "https" => true,
            "http" => self.is_loopback(),
            _ => false,
        }
    }

    /// The address, where the host is one in figures.
    fn figures(&self) -> Option<IpAddr> {
        self.host.trim_start_matches('[').trim_end_matches(']').parse().ok()
    }

    /// Source: RFC 6761, 6.3.
    fn is_loopback(&self) -> bool {
        let is_local_name = self.host == "localhost" || self.host.ends_with(".localhost");
        is_local_name || self.figures().is_some_and(|ip| ip.is_loopback())
    }

    fn has_default_port(&self) -> bool {
        matches!((self.scheme, self.port), ("https", Some("443")) | ("http", Some("80")))
    }
}

/// Where a front end is served from, as browsers say it: `https://app.example.com`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WebOrigin(String);

impl FromStr for WebOrigin {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let is_origin = text.len() <= MOST_ADDRESS_CHARS
            && Parts::of(text)
                .is_some_and(|parts| parts.path.is_empty() && !parts.has_default_port());
        if is_origin {
            return Ok(Self(text.to_owned()));
        }
        let message = "expected an origin such as https://app.example.com, without a path";
        Err(Invalid::new("malformed_origin", message)
            .in_chinese("应为不带路径的来源地址，例如 https://app.example.com"))
    }
}

/// An address that can be called: `https://login.example.com/keys`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WebAddress(String);

impl FromStr for WebAddress {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let is_address = text.len() <= MOST_ADDRESS_CHARS
            && Parts::of(text).is_some_and(|parts| {
                let rest = parts.path;
                rest.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '#' | '\\'))
            });
        if is_address {
            return Ok(Self(text.to_owned()));
        }
        let message = "expected an address such as https://login.example.com/keys";
        Err(Invalid::new("malformed_url", message)
            .in_chinese("应为网址，例如 https://login.example.com/keys"))
    }
}

impl WebAddress {
    /// Whether it may lead to a machine that may be called. Names are judged again when they are looked up.
    pub fn may_be_called(&self, loopback: Loopback) -> bool {
        Parts::of(&self.0).is_some_and(|parts| match parts.figures() {
            Some(figures) => loopback.lets(figures),
            None => loopback == Loopback::Allowed || !parts.is_loopback(),
        })
    }
}

macro_rules! web_texts {
    ($($name:ident: $says:literal, $example:literal;)*) => {$(
        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(D::Error::custom)
            }
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .max_length(Some(MOST_ADDRESS_CHARS))
                    .pattern(Some("^https?://"))
                    .description(Some($says))
                    .examples([$example])
                    .into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }
        }
    )*};
}

web_texts! {
    WebOrigin: "Where a front end is served from: scheme, lower-case host, port when unusual.", "https://app.example.com";
    WebAddress: "An address on the web; `https`, but for this machine itself in development.", "https://login.example.com/keys";
}

/// Whether a machine belongs to the public internet, and so may be called for a brand.
///
/// Everything else (this machine, the private network it stands in, the cloud's metadata service, addresses
/// that carry another one inside) is refused: a brand chooses the address, but not our neighbours.
/// Source: the IANA special-purpose address registries.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    const SPECIAL: [(Ipv4Addr, u32); 15] = [
        (Ipv4Addr::UNSPECIFIED, 8),
        (Ipv4Addr::new(10, 0, 0, 0), 8),
        (Ipv4Addr::new(100, 64, 0, 0), 10),
        (Ipv4Addr::new(127, 0, 0, 0), 8),
        (Ipv4Addr::new(169, 254, 0, 0), 16),
        (Ipv4Addr::new(172, 16, 0, 0), 12),
        (Ipv4Addr::new(192, 0, 0, 0), 24),
        (Ipv4Addr::new(192, 0, 2, 0), 24),
        (Ipv4Addr::new(192, 88, 99, 0), 24),
        (Ipv4Addr::new(192, 168, 0, 0), 16),
        (Ipv4Addr::new(198, 18, 0, 0), 15),
        (Ipv4Addr::new(198, 51, 100, 0), 24),
        (Ipv4Addr::new(203, 0, 113, 0), 24),
        (Ipv4Addr::new(224, 0, 0, 0), 4),
        (Ipv4Addr::new(240, 0, 0, 0), 4),
    ];
    SPECIAL.iter().all(|(network, bits)| {
        let mask = u32::MAX.checked_shl(32_u32.saturating_sub(*bits)).unwrap_or(0);
        address.to_bits() & mask != network.to_bits()
    })
}

/// Only global unicast (`2000::/3`) is public; that leaves out mapped, translated, local and multicast
/// addresses. Within it, tunnels and documentation are left out as well.
fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        // 2001::/23 (Teredo, ORCHID, benchmarks), 2001:db8::/32, 2002::/16 (6to4), 3fff::/20.
        [0x2001, second, ..] => second > 0x01ff && second != 0x0db8,
        [0x2002, ..] => false,
        [0x3fff, second, ..] => second > 0x0fff,
        [first, ..] => (0x2000..=0x3fff).contains(&first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_what_a_browser_says() {
        for text in [
            "https://app.example.com",
            "https://app.example.com:8443",
            "http://localhost:5173",
            "http://[::1]:3000",
        ] {
            assert!(text.parse::<WebOrigin>().is_ok(), "{text}");
        }
        for text in [
            "*",
            "null",
            "https://app.example.com/",
            "https://App.example.com",
            "https://app.example.com:443",
            "http://app.example.com",
            "https://user@app.example.com",
            "https://app.example.com:0",
            "https://app.example.com:65536",
            "https://app..example.com",
            "https://-app.example.com",
            "https://app-.example.com",
            "https://",
            "ftp://app.example.com",
        ] {
            assert_eq!(text.parse::<WebOrigin>().unwrap_err().code, "malformed_origin", "{text}");
        }
    }

    #[test]
    fn an_address_is_https_and_has_no_user_and_no_fragment() {
        assert!("https://login.example.com/keys?v=1".parse::<WebAddress>().is_ok());
        assert!("http://127.0.0.1:9000/keys".parse::<WebAddress>().is_ok());
        for text in [
            "http://login.example.com/keys",
            "https://user:secret@login.example.com/keys",
            "https://login.example.com/keys#one",
            "https://login.example.com/k eys",
            "https://login.example.com\\@10.0.0.1/",
            "https://%31%30.0.0.1/",
            "file:///etc/passwd",
            "https:///keys",
        ] {
            assert_eq!(text.parse::<WebAddress>().unwrap_err().code, "malformed_url", "{text}");
        }
        let longest = format!("https://a.example/{}", "k".repeat(MOST_ADDRESS_CHARS - 18));
        assert!(longest.parse::<WebAddress>().is_ok());
        assert!(format!("{longest}k").parse::<WebAddress>().is_err());
    }

    #[test]
    fn what_ends_in_a_number_is_a_plain_address_in_figures() {
        for host in ["8.8.8.8", "127.0.0.1", "0x7f.example", "1.example", "8.8.8.a1"] {
            assert!(format!("https://{host}/").parse::<WebAddress>().is_ok(), "{host}");
        }
        for host in
            ["127.1", "2130706433", "0177.0.0.1", "0x7f000001", "127.0.0.0x1", "a.1", "a.0x"]
        {
            assert!(format!("https://{host}/").parse::<WebAddress>().is_err(), "{host}");
        }
    }

    #[test]
    fn this_machine_and_its_neighbours_are_not_for_calling() {
        let may =
            |text: &str, loopback| text.parse::<WebAddress>().unwrap().may_be_called(loopback);
        for text in
            ["http://localhost/", "https://login.localhost/", "http://127.0.0.9/", "https://[::1]/"]
        {
            assert!(may(text, Loopback::Allowed), "{text}");
            assert!(!may(text, Loopback::Refused), "{text}");
        }
        for text in ["https://10.0.0.1/", "https://[::ffff:127.0.0.1]/", "https://[fd00::1]/"] {
            assert!(!may(text, Loopback::Allowed), "{text}");
        }
        for text in
            ["https://localhost.example.com/", "https://8.8.8.8/", "https://[2606:4700::1]/"]
        {
            assert!(may(text, Loopback::Refused), "{text}");
        }
    }

    #[test]
    fn neighbours_are_not_public() {
        for text in [
            "0.0.0.0",
            "10.255.255.255",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.168.1.1",
            "198.19.0.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:8.8.8.8",
            "::8.8.8.8",
            "64:ff9b::8.8.8.8",
            "64:ff9b:1::1",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "2001::1",
            "2001:1ff::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "100::1",
            "5f00::1",
        ] {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn the_public_internet_is_public() {
        for text in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.167.0.1",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2001:200::1",
            "2606:4700::1111",
            "240e::1",
            "3ffe::1",
            "3fff:1000::1",
        ] {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
    }
}
