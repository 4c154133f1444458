//! Who shall answer a query (serf spec 4.3).

use super::expression::Expressions;
use crate::member::Record;
use crate::wire::serf::{Filter, Query, Tags};

/// Whether this node passes every filter of a query. What does not decode, matches nobody, and so
/// do more filters than a query of the usual size has room for.
pub(super) fn all_match(query: &Query<'_>, me: &Record, expressions: &mut Expressions) -> bool {
    let filters = query.filters.unwrap_or_default();
    filters.len() <= FILTERS_MAX && filters.iter().all(|filter| matches(filter, me, expressions))
}

fn matches(filter: &[u8], me: &Record, expressions: &mut Expressions) -> bool {
    match Filter::decode(filter) {
        Ok(Filter::Nodes(names)) => names.into_iter().flatten().any(|name| name == me.name_bytes()),
        Ok(Filter::Tag { tag, expr }) => {
            let value = Tags::decode(me.meta()).find(tag).unwrap_or_default();
            expressions.find(expr, value)
        }
        Err(_) => false,
    }
}

/// Filters of a query. Each may take milliseconds, and a datagram has room for thousands.
const FILTERS_MAX: usize = 32;
