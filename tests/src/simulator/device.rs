//! One simulated device on the wire: it enrols and checks in with the agent library's own key, CSR and client code.

use anyhow::{Context as _, bail};
use cartable_agent::{
    client::{Client, Connect, EnrolAnswer, EnrolClient, Proxy},
    trouble::Trouble,
};
use cartable_common::{
    ContentHash, ReportId, UtcMillis,
    protocol::{CheckInRequest, CheckInResponse, EnrolRequest, ReportEnvelope},
    report::{Hardware, HealthReport},
};
use uuid::Uuid;

use super::keyring::{Granted, Identity};

/// How to reach a server, shared by all devices of a fleet.
#[derive(Clone, Debug)]
pub struct Link {
    connect: Connect,
    enrol: EnrolClient,
}

impl Link {
    /// The server at `gateway`, trusted by `roots_pem` alone.
    pub fn new(gateway: &str, roots_pem: &str) -> anyhow::Result<Self> {
        let server = gateway.parse().context("the device port's address")?;
        let mut connect = Connect::new(server, roots_pem)?;
        connect.proxy = Proxy::Direct;
        let enrol = EnrolClient::new(&connect)?;
        Ok(Self { connect, enrol })
    }

    /// Enrols `identity` as the machine `hardware` with `token`.
    pub async fn enrol(&self, identity: &Identity, token: &str, hardware: Hardware) -> anyhow::Result<Granted> {
        let request = EnrolRequest {
            request_id: identity.request_id,
            token: token.to_owned(),
            lost_key: None,
            csr_pem: identity.key()?.request_pem()?,
            hardware,
            agent_version: cartable_agent::version(),
        };
        match self.enrol.enrol(&request).await? {
            EnrolAnswer::Granted(grant) => Ok(grant.into()),
            EnrolAnswer::Pending(pending) => bail!("the enrolment waits for a person: {}", pending.reason),
        }
    }

    /// The device that `identity` was granted to be, ready to check in.
    pub fn device(&self, identity: &Identity) -> anyhow::Result<Device> {
        let granted = identity.granted.as_ref().context("the device is not enrolled")?;
        let client = Client::new(&self.connect, &identity.key()?, &granted.certificate_chain_pem)?;
        Ok(Device { client, granted: granted.clone(), served: None })
    }
}

/// An enrolled simulated device with its TLS sessions.
#[derive(Debug)]
pub struct Device {
    client: Client,
    granted: Granted,
    /// The content that the server said it holds.
    served: Option<ContentHash>,
}

/// How one contact went.
#[derive(Clone, Debug)]
pub struct Contacted {
    /// The server's last answer.
    pub answer: CheckInResponse,
    /// The reports that it acknowledged.
    pub acknowledged: Vec<ReportId>,
}

impl Device {
    /// What it was granted.
    pub const fn granted(&self) -> &Granted {
        &self.granted
    }

    /// One contact as the agent makes it: the hash alone while the server holds this content, the report otherwise.
    ///
    /// `now` is the true time, from which sequence numbers grow; `own_clock` is what the device believes.
    pub async fn contact(
        &mut self,
        report: HealthReport,
        own_clock: UtcMillis,
        now: UtcMillis,
    ) -> Result<Contacted, Trouble> {
        let hash = report.content_hash();
        let mut reports = Vec::new();
        if self.served.is_some_and(|served| served != hash) {
            reports.push(envelope(report.clone(), own_clock, now));
        }
        let mut answer = self.send(own_clock, hash, reports).await?;
        let mut acknowledged = answer.acknowledged.clone();
        if answer.content_hash != Some(hash) && acknowledged.is_empty() {
            answer = self.send(own_clock, hash, vec![envelope(report, own_clock, now)]).await?;
            acknowledged.clone_from(&answer.acknowledged);
        }
        Ok(Contacted { answer, acknowledged })
    }

    /// One check-in with exactly these reports.
    pub async fn send(
        &mut self,
        own_clock: UtcMillis,
        hash: ContentHash,
        reports: Vec<ReportEnvelope>,
    ) -> Result<CheckInResponse, Trouble> {
        let request = CheckInRequest {
            content_hash: Some(hash),
            reports,
            ..CheckInRequest::bare(cartable_agent::version(), own_clock)
        };
        let answer = self.client.check_in(&request).await?;
        self.served = answer.content_hash;
        Ok(answer)
    }
}

/// A report on its way, with a new id. Its sequence number is the true time in seconds: it grows however often the
/// fleet is started again, without being kept anywhere.
pub fn envelope(report: HealthReport, own_clock: UtcMillis, now: UtcMillis) -> ReportEnvelope {
    ReportEnvelope {
        report_id: ReportId(Uuid::now_v7()),
        sequence: u64::try_from(now.get() / 1000).unwrap_or_default(),
        measured_at: own_clock,
        report,
    }
}
