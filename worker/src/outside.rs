//! The outside world: the one door through which anything leaves the house.

use domain::followups::{Message, MessageChannel};
use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor,
    message::{Mailbox, header::ContentType},
};
use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

/// How long a mail server may take for one step. Well below the time a job may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What became of a message outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// The next system on its way has taken it.
    Taken,
    /// There is no way out for its channel.
    NoWay,
    /// The receiving side refuses it for good.
    Refused,
}

/// The next system did not take it now. Trying again helps.
///
/// It says how, and never in the other side's words: a mail server likes to repeat the address it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreachable {
    /// It wants to be asked again later.
    #[error("the mail server says {code}: it may take it later")]
    Later {
        /// Its code, such as 450.
        code: u16,
    },
    /// It did not answer in time.
    #[error("the mail server did not answer in time")]
    Slow,
    /// No connection as safe as it should be.
    #[error("no TLS connection to the mail server")]
    Unsafe,
    /// No connection, or one that broke.
    #[error("the mail server cannot be reached")]
    Away,
}

impl From<lettre::transport::smtp::Error> for Unreachable {
    fn from(error: lettre::transport::smtp::Error) -> Self {
        let code = error.status().and_then(|code| code.to_string().parse().ok());
        match code {
            Some(code) => Self::Later { code },
            None if error.is_timeout() => Self::Slow,
            None if error.is_tls() => Self::Unsafe,
            None => Self::Away,
        }
    }
}

/// The way out. Whatever goes through it may go twice, under the same identifier.
#[async_trait::async_trait]
pub trait Outside: std::fmt::Debug + Send + Sync {
    /// Hands a message over.
    ///
    /// # Errors
    ///
    /// [`Unreachable`] when nobody knows whether it was taken.
    async fn deliver(&self, message: &Message) -> Result<Delivery, Unreachable>;
}

/// What jobs need beside rows.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// The address under which customers reach us, for links in messages; without a slash at the end.
    pub public_url: String,
    /// The way out.
    pub outside: Arc<dyn Outside>,
}

impl Surroundings {
    /// A house without a way out: messages are written and kept.
    pub fn without_outside(public_url: &str) -> Self {
        Self { public_url: public_url.to_owned(), outside: Arc::new(NoOutside) }
    }
}

/// No way out.
#[derive(Debug, Clone, Copy)]
pub struct NoOutside;

#[async_trait::async_trait]
impl Outside for NoOutside {
    async fn deliver(&self, _: &Message) -> Result<Delivery, Unreachable> {
        Ok(Delivery::NoWay)
    }
}

/// Mail, handed over to a server by SMTP. There is no way out for other channels.
#[derive(Debug)]
pub struct Mail {
    server: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

/// Mail cannot be set up like this.
#[derive(Debug, thiserror::Error)]
pub enum MailMistake {
    /// The server's address cannot be used.
    #[error("the mail server's address cannot be used")]
    Server(#[from] lettre::transport::smtp::Error),
    /// The sender is no mail address.
    #[error("the sender of mail is no mail address")]
    Sender(#[from] lettre::address::AddressError),
}

impl Mail {
    /// Mail by the server at `url` (`smtps://user:password@mail.example.com`), from the mail address
    /// `from`, which may carry a name (`Clearwater <service@example.com>`).
    ///
    /// # Errors
    ///
    /// [`MailMistake`] says which of the two cannot be used.
    pub fn new(url: &str, from: &str) -> Result<Self, MailMistake> {
        let server =
            AsyncSmtpTransport::<Tokio1Executor>::from_url(url)?.timeout(Some(PATIENCE)).build();
        Ok(Self { server, from: from.parse()? })
    }

    /// Asks the server whether it is there and lets us in; nothing is sent.
    ///
    /// # Errors
    ///
    /// [`Unreachable`] says how it is not.
    pub async fn ask(&self) -> Result<(), Unreachable> {
        if self.server.test_connection().await? { Ok(()) } else { Err(Unreachable::Away) }
    }

    fn letter(&self, message: &Message) -> Option<lettre::Message> {
        let to: Address = message.address.as_ref()?.parse().ok()?;
        let seconds = u64::try_from(message.created_at.unix_seconds()).ok()?;
        let written_at = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))?;
        lettre::Message::builder()
            .message_id(Some(format!("<{}@aftercare>", message.id)))
            .date(written_at)
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(message.headline.clone())
            .header(ContentType::TEXT_PLAIN)
            .body(message.body.clone())
            .ok()
    }
}

#[async_trait::async_trait]
impl Outside for Mail {
    async fn deliver(&self, message: &Message) -> Result<Delivery, Unreachable> {
        match message.channel {
            MessageChannel::Email => {}
            MessageChannel::Sms | MessageChannel::None => return Ok(Delivery::NoWay),
        }
        let Some(letter) = self.letter(message) else { return Ok(Delivery::Refused) };
        match self.server.send(letter).await {
            Ok(_) => Ok(Delivery::Taken),
            Err(error) if error.is_permanent() => Ok(Delivery::Refused),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{
        followups::{Notice, Outlet, Recipient, Sender},
        text::{Email, Locale, Name},
    };
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
    use uuid::Uuid;

    fn message() -> Message {
        let recipient = Recipient {
            customer_id: Uuid::from_u128(1).into(),
            dealer_id: None,
            name: Name::new("李娜").unwrap(),
            locale: Locale::Chinese,
            email: Email::new("li.na@example.com").ok(),
            phone: None,
        };
        let sender = Sender { brand: "碧水", outlet: Outlet::World };
        let notice = Notice::VisitReminder { wall_time: "2026-01-05 09:00".to_owned() };
        let now = "2026-01-04T01:00:00Z".parse().unwrap();
        Message::write(Uuid::from_u128(2).into(), sender, &recipient, &notice, now).record
    }

    #[tokio::test]
    async fn a_letter_says_who_wrote_it_and_which_it_is() {
        let mail = Mail::new("smtp://localhost:2525", "碧水 <service@example.com>").unwrap();
        let letter = String::from_utf8(mail.letter(&message()).unwrap().formatted()).unwrap();
        let id = message().id;
        assert!(letter.contains(&format!("Message-ID: <{id}@aftercare>")), "{letter}");
        assert!(letter.contains("To: li.na@example.com"), "{letter}");
        assert!(letter.contains("Date: Sun, 04 Jan 2026 01:00:00"), "{letter}");
    }

    #[tokio::test]
    async fn only_mail_leaves_by_mail() {
        let mail = Mail::new("smtp://localhost:2525", "service@example.com").unwrap();
        let sms = Message { channel: MessageChannel::Sms, ..message() };
        assert_eq!(mail.deliver(&sms).await.unwrap(), Delivery::NoWay);
        let nowhere = Message { address: Some("nobody".to_owned()), ..message() };
        assert_eq!(mail.deliver(&nowhere).await.unwrap(), Delivery::Refused);
    }

    /// A mail server that greets, takes the sender, and answers to the recipient with `says`.
    #[expect(clippy::disallowed_methods, reason = "the server and its caller are one process here")]
    async fn server(says: &'static str) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let (lines, mut answers) = stream.into_split();
            answers.write_all(b"220 mail\r\n").await.unwrap();
            let mut lines = BufReader::new(lines).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                let answer = if line.starts_with("RCPT") { says } else { "250 fine" };
                answers.write_all(format!("{answer}\r\n").as_bytes()).await.unwrap();
            }
        });
        url
    }

    #[tokio::test]
    async fn what_a_mail_server_says_stays_outside() {
        let url = server("450 4.2.0 <li.na@example.com>: greylisted").await;
        let mail = Mail::new(&url, "service@example.com").unwrap();
        let trouble = mail.deliver(&message()).await.unwrap_err();
        assert_eq!(trouble, Unreachable::Later { code: 450 });
        assert_eq!(trouble.to_string(), "the mail server says 450: it may take it later");
        let url = server("550 5.1.1 <li.na@example.com>: no such user").await;
        let mail = Mail::new(&url, "service@example.com").unwrap();
        assert_eq!(mail.deliver(&message()).await.unwrap(), Delivery::Refused);
    }

    #[tokio::test]
    async fn a_sender_without_an_address_is_refused_at_the_start() {
        assert!(matches!(Mail::new("smtp://localhost", "nobody"), Err(MailMistake::Sender(_))));
        assert!(matches!(Mail::new("http://localhost", "a@b.cd"), Err(MailMistake::Server(_))));
    }
}
