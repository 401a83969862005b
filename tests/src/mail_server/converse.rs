//! The conversation with one client: SMTP (RFC 5321) as far as a client that hands letters in goes, STARTTLS (RFC 3207)
//! and AUTH with PLAIN and LOGIN (RFC 4954).

use std::{
    io,
    sync::{Mutex, MutexGuard, PoisonError},
};

use data_encoding::BASE64;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader},
    net::TcpStream,
};

use super::{Manner, Mechanism, State, Taken, Terms};

/// Speaks with a client until it leaves.
pub(super) async fn serve(stream: TcpStream, state: &Mutex<State>, terms: &Terms) -> io::Result<()> {
    let mut plain = BufReader::new(stream);
    say(&mut plain, "220 test ESMTP").await?;
    let client = Client { state, terms, secured: false };
    if let (Parting::Secures, Some(certificate)) = (client.converse(&mut plain).await?, &terms.certificate) {
        // What stood behind the command in clear is dropped with the buffer.
        let mut secured = BufReader::new(certificate.accept(plain.into_inner()).await?);
        Client { secured: true, ..client }.converse(&mut secured).await?;
    }
    Ok(())
}

/// How a conversation ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Parting {
    Leaves,
    /// The client was told to begin TLS.
    Secures,
}

/// What is known of one client.
#[derive(Clone, Copy)]
struct Client<'a> {
    state: &'a Mutex<State>,
    terms: &'a Terms,
    secured: bool,
}

impl Client<'_> {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn converse<S>(&self, stream: &mut BufReader<S>) -> io::Result<Parting>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let (mut to, mut signed_in) = (Vec::new(), self.terms.login.is_none());
        loop {
            let Some(command) = self.hear(stream).await? else { return Ok(Parting::Leaves) };
            let manner = self.state().manner.clone();
            let verb = command.to_ascii_uppercase();
            if verb.starts_with("EHLO") {
                say(stream, &self.greeting()).await?;
            } else if verb == "STARTTLS" && self.terms.certificate.is_some() && !self.secured {
                say(stream, "220 go ahead").await?;
                return Ok(Parting::Secures);
            } else if verb.starts_with("AUTH ") {
                signed_in = self.sign_in(stream, &command).await?;
            } else if verb.starts_with("MAIL FROM") && !signed_in {
                say(stream, "530 5.7.0 sign in first").await?;
            } else if verb.starts_with("MAIL FROM") && manner.busy {
                say(stream, "450 4.3.2 later, says <postmaster@test.example>").await?;
            } else if verb.starts_with("MAIL FROM") {
                to.clear();
                say(stream, "250 ok").await?;
            } else if verb.starts_with("RCPT TO") {
                receive_for(stream, &command, &manner, &mut to).await?;
            } else if verb == "DATA" {
                say(stream, "354 go on").await?;
                let letter =
                    Taken { to: std::mem::take(&mut to), data: read_data(stream).await?, secured: self.secured };
                self.state().taken.push(letter);
                if manner.silent {
                    // Until the sender gives up or dies.
                    let _ = stream.read_line(&mut String::new()).await?;
                    return Ok(Parting::Leaves);
                }
                say(stream, "250 2.0.0 taken").await?;
            } else if verb == "QUIT" {
                say(stream, "221 bye").await?;
                return Ok(Parting::Leaves);
            } else {
                say(stream, "250 ok").await?;
            }
        }
    }

    /// The next line, without its end. What comes in clear is remembered: a network would have read it.
    async fn hear<S>(&self, stream: &mut BufReader<S>) -> io::Result<Option<String>>
    where
        S: AsyncRead + Unpin,
    {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        let line = line.trim_end().to_owned();
        if !self.secured {
            self.state().in_clear.push(line.clone());
        }
        Ok(Some(line))
    }

    fn greeting(&self) -> String {
        let mut lines = vec!["test".to_owned(), "8BITMIME".to_owned(), "SMTPUTF8".to_owned()];
        if self.terms.certificate.is_some() && !self.secured {
            lines.push("STARTTLS".to_owned());
        }
        // A server without a certificate takes passwords in clear: that is what a client must not fall for.
        if self.terms.login.is_some() && (self.secured || self.terms.certificate.is_none()) {
            lines.push(format!("AUTH {}", self.terms.mechanism.as_str()));
        }
        let last = lines.pop().unwrap_or_default();
        lines.iter().map(|line| format!("250-{line}\r\n")).collect::<String>() + &format!("250 {last}")
    }

    /// Whether the client gave the right name and password.
    async fn sign_in<S>(&self, stream: &mut BufReader<S>, command: &str) -> io::Result<bool>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut words = command.split_whitespace().skip(1);
        let (named, initial) = (words.next().unwrap_or_default(), words.next());
        if !named.eq_ignore_ascii_case(self.terms.mechanism.as_str()) {
            say(stream, "504 5.5.4 not this way").await?;
            return Ok(false);
        }
        let given = match (self.terms.mechanism, initial) {
            (Mechanism::Plain, Some(initial)) => {
                let text = decoded(initial);
                let mut parts = text.split('\0').skip(1);
                (parts.next().unwrap_or_default().to_owned(), parts.next().unwrap_or_default().to_owned())
            }
            (Mechanism::Plain, None) => (String::new(), String::new()),
            (Mechanism::Login, _) => {
                let mut answers = Vec::new();
                for question in ["Username:", "Password:"] {
                    say(stream, &format!("334 {}", BASE64.encode(question.as_bytes()))).await?;
                    answers.push(decoded(&self.hear(stream).await?.unwrap_or_default()));
                }
                (answers.remove(0), answers.remove(0))
            }
        };
        let right = self.terms.login.as_ref() == Some(&given);
        self.state().attempts.push(given.0);
        say(stream, if right { "235 2.7.0 welcome" } else { "535 5.7.8 wrong user or password" }).await?;
        Ok(right)
    }
}

fn decoded(text: &str) -> String {
    String::from_utf8_lossy(&BASE64.decode(text.trim().as_bytes()).unwrap_or_default()).into_owned()
}

async fn receive_for<S>(
    stream: &mut BufReader<S>,
    command: &str,
    manner: &Manner,
    to: &mut Vec<String>,
) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let address = command.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
    if manner.unknown.contains(&address) {
        return say(stream, &format!("550 5.1.1 <{address}> unknown")).await;
    }
    to.push(address);
    say(stream, "250 ok").await
}

async fn say<S>(stream: &mut BufReader<S>, text: &str) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    stream.write_all(format!("{text}\r\n").as_bytes()).await?;
    stream.flush().await
}

async fn read_data<S>(stream: &mut BufReader<S>) -> io::Result<String>
where
    S: AsyncRead + Unpin,
{
    let mut data = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if line == ".\r\n" {
            return Ok(data);
        }
        data.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}
