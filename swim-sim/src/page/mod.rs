//! Pages that show a run or an experiment: one HTML file each, that needs no other.

mod frame;
mod plot;
mod run;
mod scale;
mod short;
mod timeline;

pub(crate) use self::frame::{Frame, escape};
pub(crate) use self::plot::{Mark, Plot};
pub(crate) use self::run::run_page;
pub(crate) use self::scale::number;
