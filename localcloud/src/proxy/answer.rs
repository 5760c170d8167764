//! Answers that the load balancer gives by itself.

use http::header::{CONTENT_TYPE, HeaderValue, LOCATION, SERVER};
use http::{Request, Response, StatusCode};

use super::body::{self, Body};
use crate::elb::{FixedResponse, Redirect};

/// What an ALB calls itself.
const SERVER_NAME: HeaderValue = HeaderValue::from_static("awselb/2.0");

/// Too many proxies before this one. ALB's own status.
pub(super) const TOO_MANY_HOPS: u16 = 463;

/// An error page as an ALB words it.
pub(super) fn error(status: u16) -> Response<Body> {
    let reason = match status {
        503 => "Service Temporarily Unavailable",
        504 => "Gateway Time-out",
        _ => StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or(""),
    };
    let title = format!("{status} {reason}");
    page(
        status,
        "text/html",
        format!(
            "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
        ),
    )
}

/// The name is none of a load balancer's. A real one answers to every name; here a browser on this machine could be told any.
pub(super) fn misdirected() -> Response<Body> {
    let text = "No load balancer here goes by the name in the Host header. Use its DNS name or localhost, give it a rule with a \
                host-header condition, or start the local cloud with --host NAME.\n";
    page(421, "text/plain", text.to_owned())
}

/// No load balancer is meant: several listen on the port and the Host header names none.
pub(super) fn unknown_host<'a>(names: impl Iterator<Item = &'a str>) -> Response<Body> {
    let names: Vec<&str> = names.collect();
    let text = format!("No load balancer of this name. On this port there are: {}\n", names.join(", "));
    page(404, "text/plain", text)
}

/// A fixed response of a rule.
pub(super) fn fixed(response: &FixedResponse) -> Response<Body> {
    page(response.status, &response.content_type, response.body.clone())
}

/// A redirect of a rule. To the same load balancer it leads where the listener of the port really is, by `socket`.
pub(super) fn redirect(
    redirect: &Redirect,
    request: &Request<impl Sized>,
    host: &str,
    port: u16,
    socket: impl Fn(u16) -> u16,
) -> Response<Body> {
    let path = request.uri().path().trim_start_matches('/');
    let query = request.uri().query().unwrap_or("");
    let port = port.to_string();
    let parts =
        [("#{protocol}", "http"), ("#{host}", host), ("#{port}", &port), ("#{path}", path), ("#{query}", query)];
    let fill = |template: &str| {
        parts.iter().fold(template.to_owned(), |text, (placeholder, part)| text.replace(placeholder, part))
    };
    let protocol = fill(&redirect.protocol).to_lowercase();
    let (to_host, to_port, query) = (fill(&redirect.host), fill(&redirect.port), fill(&redirect.query));
    let to_port = match to_port.parse() {
        Ok(port) if to_host == host => socket(port).to_string(),
        _ => to_port,
    };
    let mut location = format!("{protocol}://{to_host}:{to_port}{}", fill(&redirect.path));
    if !query.is_empty() {
        location = format!("{location}?{query}");
    }
    let mut answer = error(redirect.status);
    match HeaderValue::try_from(location) {
        Ok(location) => {
            answer.headers_mut().insert(LOCATION, location);
            answer
        }
        Err(_) => error(400),
    }
}

fn page(status: u16, content_type: &str, text: String) -> Response<Body> {
    let mut answer = Response::new(body::full(text));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer.headers_mut().insert(SERVER, SERVER_NAME);
    if let Ok(content_type) = HeaderValue::try_from(content_type) {
        answer.headers_mut().insert(CONTENT_TYPE, content_type);
    }
    answer
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn placeholders_of_a_redirect_are_filled_in() {
        let template = Redirect {
            protocol: "HTTPS".to_owned(),
            host: "#{host}".to_owned(),
            port: "443".to_owned(),
            path: "/new/#{path}".to_owned(),
            query: "#{query}".to_owned(),
            status: 301,
        };
        let request = Request::builder().uri("/a/b?x=1").body(()).unwrap();
        let location = |template: &Redirect| {
            let moved = |port| if port == 80 { 10_080 } else { port };
            let answer = redirect(template, &request, "shop.test", 80, moved);
            assert_eq!(answer.status(), 301);
            answer.headers()[LOCATION].to_str().unwrap().to_owned()
        };
        assert_eq!(location(&template), "https://shop.test:443/new/a/b?x=1");
        let same_port = Redirect { protocol: "#{protocol}".to_owned(), port: "#{port}".to_owned(), ..template };
        assert_eq!(location(&same_port), "http://shop.test:10080/new/a/b?x=1");
        let elsewhere = Redirect { host: "other.test".to_owned(), port: "80".to_owned(), ..same_port };
        assert_eq!(location(&elsewhere), "http://other.test:80/new/a/b?x=1");
    }
}
