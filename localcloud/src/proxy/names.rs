//! By which names load balancers are called. A browser on this machine takes a page's word for its own name, so a name that was made
//! to resolve to loopback has to be told from those that somebody meant.

use http::Request;
use http::header::HOST;
use http::uri::Authority;
use interstella_guard::gate::{is_loopback, plain};

use super::pattern;
use crate::elb::Field;
use crate::elb::routing::Front;

/// Whether a request calls one of the load balancers on its port by a name of theirs: of loopback, as every DNS name here is, of
/// a rule's host condition, or configured. A request that names none is settled elsewhere.
pub(super) fn is_called(fronts: &[Front], configured: &[String], request: &Request<impl Sized>) -> bool {
    let of_header = || request.headers().get(HOST).map(|host| host.to_str().unwrap_or_default());
    let Some(text) = request.uri().authority().map(Authority::as_str).or_else(of_header) else { return true };
    let Some(authority) = plain(text) else { return false };
    let host = authority.host().trim_end_matches('.').to_ascii_lowercase();
    let conditions = fronts.iter().flat_map(|front| &front.rules).flat_map(|(conditions, _)| conditions);
    let mut of_rules = conditions.filter(|condition| condition.field == Field::Host);
    is_loopback(&host)
        || configured.contains(&host)
        || fronts.iter().any(|front| front.dns_name == host)
        || of_rules.any(|condition| pattern::all_hold(std::slice::from_ref(condition), &host, ""))
}
