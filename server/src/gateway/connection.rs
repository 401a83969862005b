//! One connection, from its handshake to its last answer.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{Router, body::Body, extract::ConnectInfo, response::Response};
use hyper::{Request, body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use rustls::server::Acceptor;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::{Instant, sleep_until, timeout_at},
};
use tokio_rustls::{LazyConfigAcceptor, TlsAcceptor};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::{
    identity::{Arrived, PeerCertificate},
    limits,
    port::Protocol,
    tls::{DeviceTls, Purpose},
};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Serves one accepted connection to its end.
pub(super) async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    protocol: &Protocol,
    stop: CancellationToken,
) -> Result<(), Failure> {
    stream.set_nodelay(true)?;
    let deadline = Instant::now() + limits::HANDSHAKE_TIMEOUT;
    match protocol {
        Protocol::Plain(router) => http(stream, Caller::new(peer, None), router.clone(), stop).await,
        Protocol::Tls(config, router) => {
            let stream = timeout_at(deadline, TlsAcceptor::from(Arc::clone(config)).accept(stream)).await??;
            http(stream, Caller::new(peer, None), router.clone(), stop).await
        }
        Protocol::Device { tls, device, enrol } => {
            let (stream, purpose) = timeout_at(deadline, device_handshake(stream, tls)).await??;
            let (certificate, router) = match purpose {
                Purpose::Enrol => (None, enrol),
                Purpose::Device => {
                    let certificates = stream.get_ref().1.peer_certificates().unwrap_or_default();
                    (certificates.first().and_then(|leaf| PeerCertificate::from_der(leaf)), device)
                }
            };
            http(stream, Caller::new(peer, certificate), router.clone(), stop).await
        }
    }
}

async fn device_handshake(
    stream: TcpStream,
    tls: &DeviceTls,
) -> io::Result<(tokio_rustls::server::TlsStream<TcpStream>, Purpose)> {
    let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
    let (config, purpose) = tls.choose(&start.client_hello());
    Ok((start.into_stream(config).await?, purpose))
}

/// Who is at the other end: an address, and the certificate that TLS verified. Never taken from a header.
#[derive(Clone, Copy, Debug)]
struct Caller {
    peer: SocketAddr,
    certificate: Option<PeerCertificate>,
}

impl Caller {
    const fn new(peer: SocketAddr, certificate: Option<PeerCertificate>) -> Self {
        Self { peer, certificate }
    }
}

async fn http<S>(stream: S, caller: Caller, router: Router, stop: CancellationToken) -> Result<(), Failure>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let activity = Arc::new(Activity::new());
    let service = service_fn({
        let activity = Arc::clone(&activity);
        move |request: Request<Incoming>| {
            let (router, busy) = (router.clone(), activity.begin());
            async move {
                let answer = answer(router, caller, request).await;
                drop(busy);
                Ok::<_, Infallible>(answer)
            }
        }
    });
    let builder = builder();
    let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
    let mut stopping = false;
    loop {
        tokio::select! {
            ended = connection.as_mut() => return ended,
            () = stop.cancelled(), if !stopping => {
                connection.as_mut().graceful_shutdown();
                stopping = true;
            }
            () = sleep_until(activity.deadline()) => {
                if activity.is_idle() {
                    return Ok(());
                }
            }
        }
    }
}

async fn answer(router: Router, caller: Caller, request: Request<Incoming>) -> Response {
    let mut request = request.map(Body::new);
    let extensions = request.extensions_mut();
    extensions.insert(ConnectInfo(caller.peer));
    extensions.insert(Arrived(crate::clock::now()));
    caller.certificate.map(|certificate| extensions.insert(certificate));
    match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

fn builder() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits::IDLE_TIMEOUT)
        .max_buf_size(limits::MAX_HEADER_BYTES)
        .half_close(false);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits::MAX_STREAMS)
        .max_pending_accept_reset_streams(limits::MAX_RESET_STREAMS)
        .max_local_error_reset_streams(limits::MAX_RESET_STREAMS)
        .max_header_list_size(u32::try_from(limits::MAX_HEADER_BYTES).unwrap_or(u32::MAX));
    builder
}

/// Whether a connection is being used: a request is under way, or the last one ended a moment ago.
#[derive(Debug)]
struct Activity {
    under_way: AtomicUsize,
    last: Mutex<Instant>,
}

/// A request under way.
struct Busy(Arc<Activity>);

impl Activity {
    fn new() -> Self {
        Self { under_way: AtomicUsize::new(0), last: Mutex::new(Instant::now()) }
    }

    fn begin(self: &Arc<Self>) -> Busy {
        self.under_way.fetch_add(1, Ordering::AcqRel);
        Busy(Arc::clone(self))
    }

    /// The earliest moment at which the connection may turn out to be idle.
    fn deadline(&self) -> Instant {
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let idle_at = last + limits::IDLE_TIMEOUT;
        if self.under_way.load(Ordering::Acquire) == 0 {
            idle_at
        } else {
            idle_at.max(Instant::now() + limits::IDLE_TIMEOUT)
        }
    }

    fn is_idle(&self) -> bool {
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        self.under_way.load(Ordering::Acquire) == 0 && last.elapsed() >= limits::IDLE_TIMEOUT
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        *self.0.last.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.0.under_way.fetch_sub(1, Ordering::AcqRel);
    }
}
