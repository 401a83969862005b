//! HTTPS_PROXY: a tunnel that works, and proxies that refuse or pretend.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::support::{Gateway, Laptop};

/// A proxy that answers CONNECT with `answer`, and tunnels when that is a success to the address asked for.
fn proxy(answer: &'static str) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let tunnels = Arc::new(AtomicUsize::new(0));
    let count = tunnels.clone();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (client, count) = (client.unwrap(), count.clone());
            std::thread::spawn(move || drop(tunnel(client, answer, &count)));
        }
    });
    (address, tunnels)
}

fn tunnel(mut client: TcpStream, answer: &str, tunnels: &AtomicUsize) -> std::io::Result<()> {
    let mut head = vec![0; 4096];
    let length = client.read(&mut head)?;
    let head = String::from_utf8_lossy(&head[..length]).into_owned();
    assert!(head.starts_with("CONNECT "), "{head}");
    let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
    client.write_all(answer.as_bytes())?;
    if !answer.contains(" 200 ") || answer.contains("html") {
        return Ok(());
    }
    tunnels.fetch_add(1, Ordering::SeqCst);
    let mut server = TcpStream::connect(target)?;
    let (mut up, mut down) = (client.try_clone()?, server.try_clone()?);
    std::thread::spawn(move || std::io::copy(&mut up, &mut down));
    std::io::copy(&mut server, &mut client)?;
    client.shutdown(std::net::Shutdown::Both)
}

#[test]
fn the_way_through_a_proxy_is_found_in_the_environment() {
    let gateway = Gateway::start();
    let (address, tunnels) = proxy("HTTP/1.1 200 Connection established\r\n\r\n");
    let mut laptop = Laptop::new();
    laptop.proxy = Some(address);
    let done = laptop.enrol(&gateway);
    assert_eq!(done.code, 0, "{}", done.words);
    let done = laptop.agent(&["once"]);
    assert_eq!(done.code, 0, "{}", done.words);
    assert_eq!(tunnels.load(Ordering::SeqCst), 2, "both contacts went through the proxy");
}

#[test]
fn a_proxy_that_refuses_or_pretends_loses_nothing() {
    let gateway = Gateway::start();
    let mut laptop = Laptop::enrolled(&gateway);
    for (answer, words) in [
        ("HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic\r\n\r\n", "proxy refuses"),
        ("HTTP/1.1 302 Found\r\nlocation: http://portal.example/\r\n\r\n", "proxy refuses"),
        ("HTTP/1.1 200 OK\r\n\r\n<html>portal</html>", "does not answer"),
    ] {
        laptop.proxy = Some(proxy(answer).0);
        let done = laptop.agent(&["once"]);
        assert!(done.code == 1 && done.words.contains(words), "{answer}: {}", done.words);
    }
    laptop.proxy = Some("http://127.0.0.1:1".into());
    let done = laptop.agent(&["once"]);
    assert!(done.code == 1 && done.words.contains("proxy refuses"), "{}", done.words);
    laptop.proxy = None;
    assert_eq!(laptop.agent(&["once"]).code, 0);
    assert_eq!(gateway.seen.lock().unwrap().check_ins[0].reports.len(), 1);
}

#[test]
fn a_proxys_address_that_is_none_is_said_and_never_passed_by() {
    let gateway = Gateway::start();
    let mut laptop = Laptop::enrolled(&gateway);
    let before = gateway.seen.lock().unwrap().connections;
    for bad in ["not a url", "http://user:s3cret@", "http://us:er:s3/cret@127.0.0.1:9"] {
        laptop.proxy = Some(bad.into());
        for done in [laptop.agent(&["once"]), laptop.enrol(&gateway), laptop.agent(&["run", "--first-within", "0"])] {
            assert!(done.code == 8 && done.words.contains("HTTPS_PROXY is no address"), "{bad}: {}", done.words);
            assert!(!done.words.contains("cret"), "{bad}: {}", done.words);
        }
    }
    assert_eq!(gateway.seen.lock().unwrap().connections, before, "nobody went straight to the server");
}
