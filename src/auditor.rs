//! What an auditor does on the command line: verifies the resolution log, in the database or in a file taken from it.

use crate::{Trouble, ground::Ground, operator::read, say, settings::Settings};
use clap::Subcommand;
use domain::{
    complaints::{ChainCheck, Flaw, LogHash, NotedHead, read_line},
    ids::TenantId,
    text::Slug,
};
use std::{
    fs::File,
    io::{BufRead, BufReader, Read as _},
    path::{Path, PathBuf},
};
use store::{Store, operator::BrandSeen, resolution_log::LogVerified};

/// The longest line of an export, in bytes. An entry of the longest texts and most remedies is a quarter of it.
const LONGEST_LINE: u64 = 1024 * 1024;

/// What can be done with logs.
#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// Compares the resolution logs with their seals; ends with 1 when something was changed
    Verify {
        /// The brand whose log is verified, by its name in addresses; all when left out
        #[arg(long, value_parser = read::<Slug>)]
        tenant: Option<Slug>,
        /// A head that was noted, as `hash` or `serial:hash`: the log must have come by it
        #[arg(long, value_parser = read::<NotedHead>)]
        head: Option<NotedHead>,
        /// An export in JSON Lines, verified by itself instead of the database
        #[arg(long, conflicts_with = "tenant")]
        file: Option<PathBuf>,
        /// The file leaves entries out, as the export of one dealer does
        #[arg(long, requires = "file")]
        with_gaps: bool,
    },
}

impl Audit {
    /// Whether it looks into the database.
    pub(crate) fn needs_database(&self) -> bool {
        let Self::Verify { file, .. } = self;
        file.is_none()
    }
}

/// Carries out a command about logs.
pub(crate) async fn audit(settings: &Settings, command: Audit) -> Result<(), Trouble> {
    let Audit::Verify { tenant, head, file, with_gaps } = command;
    if let Some(file) = file {
        return verify_file(&file, head, with_gaps);
    }
    if head.is_some() && tenant.is_none() {
        return Err(Trouble::Refused(
            "--head is about one brand: name it with --tenant".to_owned(),
        ));
    }
    let ground = Ground::find(settings).await?;
    let verified = verify_brands(&ground.store, tenant.as_ref(), head).await;
    ground.leave().await;
    let wrong = verified?;
    if wrong == 0 {
        return Ok(());
    }
    let logs = if wrong == 1 { "1 log is".to_owned() } else { format!("{wrong} logs are") };
    Err(Trouble::Refused(format!("{logs} not as it was sealed")))
}

/// Says of each log how it is; answers how many are not as they should be.
async fn verify_brands(
    store: &Store,
    wanted: Option<&Slug>,
    head: Option<NotedHead>,
) -> Result<u32, Trouble> {
    let brands = store.brands().await;
    let brands =
        brands.map_err(|fault| Trouble::during("the brands cannot be listed")(fault.into()))?;
    let is_wanted = |brand: &&BrandSeen| wanted.is_none_or(|slug| brand.slug == slug.to_string());
    let brands: Vec<_> = brands.iter().filter(is_wanted).collect();
    if let (Some(slug), true) = (wanted, brands.is_empty()) {
        return Err(Trouble::Refused(format!(
            "there is no brand {slug}; `aftercare tenants list` names those there are"
        )));
    }
    let mut wrong: u32 = 0;
    for brand in brands {
        let live = verify(store, brand.id, head).await?;
        let sandbox = verify(store, brand.sandbox, None).await?;
        say(&sentence(&brand.slug, &live))?;
        if sandbox.read > 0 || sandbox.waiting > 0 || sandbox.flaw.is_some() {
            say(&sentence(&format!("{} (sandbox)", brand.slug), &sandbox))?;
        }
        let flaws = [live.flaw, sandbox.flaw].into_iter().flatten().count();
        wrong = wrong.saturating_add(u32::try_from(flaws).unwrap_or(u32::MAX));
    }
    Ok(wrong)
}

async fn verify(
    store: &Store,
    tenant: TenantId,
    head: Option<NotedHead>,
) -> Result<LogVerified, Trouble> {
    let verified = store.verify_log(tenant, head).await;
    verified.map_err(|fault| Trouble::during("the log cannot be read")(fault.into()))
}

fn sentence(name: &str, verified: &LogVerified) -> String {
    let LogVerified { read, last, waiting, flaw } = verified;
    let waiting =
        if *waiting == 0 { String::new() } else { format!("; {waiting} wait for their seal") };
    format!("{name}: {}{waiting}", outcome(*read, *last, flaw.as_ref()))
}

fn outcome(read: u32, last: Option<(u32, LogHash)>, flaw: Option<&Flaw>) -> String {
    let end = last.map(|(serial, hash)| format!(", up to {serial}:{hash}")).unwrap_or_default();
    match flaw {
        None => format!("{read} entries are as they were sealed{end}"),
        Some(flaw) => format!("{read} entries are as they were sealed{end}; WRONG: {flaw}"),
    }
}

/// Verifies an export.
fn verify_file(path: &Path, head: Option<NotedHead>, with_gaps: bool) -> Result<(), Trouble> {
    let file = File::open(path);
    let file = file.map_err(|error| {
        Trouble::during(format!("{} cannot be read", path.display()))(error.into())
    })?;
    let check = if with_gaps { ChainCheck::with_gaps() } else { ChainCheck::of_part() };
    let mut check = check.expecting(head);
    let wrong = verify_lines(BufReader::new(file), &mut check)?;
    let name = path.display();
    let first = check.first().filter(|first| *first > 1);
    let begins = first.map(|first| {
        format!("; it begins with entry {first}, and what that follows on is believed")
    });
    let says = outcome(check.read(), check.last(), None);
    match wrong {
        None => say(&format!("{name}: {says}{}", begins.unwrap_or_default())),
        Some(wrong) => {
            say(&format!("{name}: {says}; WRONG: {wrong}"))?;
            Err(Trouble::Refused("the file is not as it was exported".to_owned()))
        }
    }
}

/// Reads line after line; answers the first thing that is wrong.
fn verify_lines(mut file: impl BufRead, check: &mut ChainCheck) -> Result<Option<String>, Trouble> {
    let mut number: u64 = 0;
    loop {
        number = number.saturating_add(1);
        let mut bytes = Vec::new();
        file.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut bytes)?;
        if bytes.is_empty() {
            return Ok(check.end().err().map(|flaw| flaw.to_string()));
        }
        let text = String::from_utf8(bytes).unwrap_or_default();
        let Some(line) = read_line(text.trim_end_matches(['\r', '\n'])) else {
            let after = check.last().map(|(serial, _)| format!(", after entry {serial},"));
            return Ok(Some(format!(
                "line {number}{} is not written as it was exported",
                after.unwrap_or_default()
            )));
        };
        if let Err(flaw) = check.follow_line(&line) {
            return Ok(Some(format!("line {number}: {flaw}")));
        }
    }
}
