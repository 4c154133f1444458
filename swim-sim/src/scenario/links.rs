//! The links of a scenario.

use core::fmt::Display;

use super::Result;
use super::read::{Field, Section};
use super::write::Entry;
use crate::link::{Latency, Links, Zones};
use crate::text::{self, duration_text};

/// Reads the table `links`.
pub(super) fn read(links: &mut Section<'_>) -> Result<Links> {
    let mut made = match (links.take("latency"), links.take("zones")) {
        (Some(field), None) => Links::new(latency(&field)?).map_err(|e| field.refused(e))?,
        (None, Some(zones)) => {
            let matrix = links.need("matrix")?;
            let zones = Zones { sizes: sizes(&zones)?, latency: rows(&matrix)? };
            Links::zones(&zones).map_err(|e| matrix.refused(e))?
        }
        (None, None) => Links::default(),
        (Some(_), Some(zones)) => return Err(zones.refused("latency and zones exclude each other")),
    };
    if let Some(loss) = links.take("loss") {
        made = made.with_loss(loss.share()?).map_err(|e| loss.refused(e))?;
    }
    if let Some(field) = links.take("duplicates") {
        made = made.with_duplicates(field.share()?).map_err(|e| field.refused(e))?;
    }
    if let Some(field) = links.take("reordering") {
        let by = links.need("reordering_by")?;
        made = made.with_reordering(field.share()?, by.time()?).map_err(|e| by.refused(e))?;
    }
    if let Some(field) = links.take("bandwidth_bps") {
        let bps = field.integer(0, i64::MAX)? as u64;
        made = made.with_bandwidth(bps).map_err(|e| field.refused(e))?;
    }
    if let Some(field) = links.take("mtu") {
        let mtu = field.integer(0, u32::MAX.into())? as u32;
        made = made.with_mtu(mtu).map_err(|e| field.refused(e))?;
    }
    if let Some(field) = links.take("resets") {
        made = made.with_resets(field.share()?).map_err(|e| field.refused(e))?;
    }
    links.end()?;
    Ok(made)
}

/// `1ms`, `1ms..5ms` or `log-normal 20ms 0.5`.
fn latency(field: &Field<'_>) -> Result<Latency> {
    let expected = "a latency such as \"1ms\", \"0.5ms..2ms\" or \"log-normal 20ms 0.5\"";
    let words = field.str(expected)?;
    let wrong = || field.wrong(expected);
    let time = |text: &str| text::duration(text).map_err(|_| wrong());
    if let Some(words) = words.strip_prefix("log-normal ") {
        let (median, sigma) = words.split_once(' ').ok_or_else(wrong)?;
        let sigma = sigma.parse().map_err(|_| wrong())?;
        return Ok(Latency::LogNormal { median: time(median)?, sigma });
    }
    match words.split_once("..") {
        Some((min, max)) => Ok(Latency::Uniform { min: time(min)?, max: time(max)? }),
        None => Ok(Latency::Fixed(time(words)?)),
    }
}

fn sizes(field: &Field<'_>) -> Result<Vec<u32>> {
    let sizes = field.list("an array with the size of each zone, such as [50, 50]")?;
    sizes.iter().map(|size| Ok(size.integer(1, u32::MAX.into())? as u32)).collect()
}

fn rows(field: &Field<'_>) -> Result<Vec<Vec<Latency>>> {
    let expected = "an array of rows, such as [[\"1ms\", \"40ms\"], [\"40ms\", \"1ms\"]]";
    let row = |row: Field<'_>| row.list(expected)?.iter().map(latency).collect();
    field.list(expected)?.into_iter().map(row).collect()
}

/// Writes the table `links`.
pub(super) fn write(links: &Links) -> String {
    let mut out = Entry::default();
    match links.zone_table() {
        None => out.text("latency", &latency_text(links.latency())),
        Some(zones) => {
            out.plain("zones", array(zones.sizes.iter()));
            let row = |row: &Vec<Latency>| {
                array(row.iter().map(|&latency| format!("{:?}", latency_text(latency))))
            };
            out.plain("matrix", array(zones.latency.iter().map(row)));
        }
    }
    if links.loss() > 0.0 {
        out.plain("loss", format_args!("{:?}", links.loss()));
    }
    if links.duplicates() > 0.0 {
        out.plain("duplicates", format_args!("{:?}", links.duplicates()));
    }
    let (share, by) = links.reordering();
    if share > 0.0 {
        out.plain("reordering", format_args!("{share:?}"));
        out.text("reordering_by", &duration_text(by));
    }
    if let Some(bps) = links.bandwidth_bps() {
        out.plain("bandwidth_bps", bps);
    }
    if let Some(mtu) = links.mtu() {
        out.plain("mtu", mtu);
    }
    if links.resets() > 0.0 {
        out.plain("resets", format_args!("{:?}", links.resets()));
    }
    out.into_text()
}

fn latency_text(latency: Latency) -> String {
    match latency {
        Latency::Fixed(delay) => duration_text(delay),
        Latency::Uniform { min, max } => {
            format!("{}..{}", duration_text(min), duration_text(max))
        }
        Latency::LogNormal { median, sigma } => {
            format!("log-normal {} {sigma:?}", duration_text(median))
        }
    }
}

fn array(items: impl Iterator<Item = impl Display>) -> String {
    let items: Vec<String> = items.map(|item| item.to_string()).collect();
    format!("[{}]", items.join(", "))
}
