//! The doctor: looks for what could be wrong with this setup, and says what to do.

use crate::{
    Trouble,
    ground::{Ground, Sinking},
    reception, say,
    settings::Settings,
};
use api::problem::chain;
use domain::identity::SigningKeyState;
use std::{collections::BTreeSet, fs, path::Path, time::Duration};
use store::{Store, database::Distrust};
use worker::outside::Mail;

/// The least free space of the data folder, in bytes: a database of our own writes its log ahead in pieces of
/// 16 MiB and keeps up to 1 GiB of them.
const LEAST_FREE_BYTES: u64 = 1024 * 1024 * 1024;

/// How far the two clocks may be apart, in seconds. Jobs are due by ours, leases lapse by the database's, and
/// tokens are judged by that of whichever server they reach.
const MOST_SKEW_SECONDS: i64 = 5;

/// How long a mail server may take to answer.
const MAIL_PATIENCE: Duration = Duration::from_secs(10);

/// What was found about one matter.
enum Finding {
    /// It is as it should be.
    Fine(String),
    /// It is not.
    Problem {
        /// What is wrong.
        what: String,
        /// What to do about it.
        advice: &'static str,
    },
}

use Finding::Fine;

fn problem(what: impl Into<String>, advice: &'static str) -> Finding {
    Finding::Problem { what: what.into(), advice }
}

/// Prints a line for each matter.
///
/// # Errors
///
/// [`Trouble::Refused`] when something is wrong.
pub(crate) async fn examine(settings: &Settings) -> Result<(), Trouble> {
    let mut findings = vec![("settings", examine_settings(settings))];
    match Ground::find(settings).await {
        Ok(ground) => {
            let says = format!("{}; its walls hold", ground.says);
            findings.push(("database", Fine(says)));
            findings.push(("schema", examine_schema(&ground.store).await));
            findings.push(("clock", examine_clock(&ground.store).await));
            findings.push(("secret key", examine_secret(&ground.store, settings).await));
            ground.leave().await;
        }
        Err(sinking) => findings.push(("database", problem(chain(&sinking), remedy(&sinking)))),
    }
    findings.push(("redis", examine_redis(settings).await));
    findings.push(("data folder", examine_folder(settings)));
    findings.push(("files", examine_files(settings).await));
    findings.push(("mail", examine_mail(settings).await));
    report(&findings)
}

fn report(findings: &[(&str, Finding)]) -> Result<(), Trouble> {
    let lines = findings.iter().map(|(matter, finding)| match finding {
        Fine(says) => format!("ok       {matter:<12} {says}"),
        Finding::Problem { what, advice } => format!("problem  {matter:<12} {what}. {advice}"),
    });
    say(&lines.collect::<Vec<_>>().join("\n"))?;
    let problems = findings.iter().filter(|(_, finding)| !matches!(finding, Fine(_))).count();
    match problems {
        0 => Ok(()),
        1 => Err(Trouble::Refused("there is a problem".to_owned())),
        _ => Err(Trouble::Refused(format!("there are {problems} problems"))),
    }
}

/// What to do when there is no database to stand on.
fn remedy(sinking: &Sinking) -> &'static str {
    if let Sinking::Distrust(Distrust::Walls(_)) = sinking {
        return "Run `aftercare migrate` as the owner, and log in as a role that owns nothing";
    }
    "See that it runs, and what AFTERCARE_DATABASE_URL says of its name, port and login"
}

fn examine_settings(settings: &Settings) -> Finding {
    match settings.judge() {
        Ok(()) => Fine("they fit together; `aftercare config` prints them".to_owned()),
        Err(misconfigured) => problem(chain(&misconfigured), "Set it, and ask again"),
    }
}

/// The schema lacks nothing, or there would be no ground; it may have more.
async fn examine_schema(store: &Store) -> Finding {
    let known: BTreeSet<String> = migrations::names().into_iter().collect();
    let applied = match store.applied_migrations().await {
        Ok(applied) => applied,
        Err(fault) => return problem(fault.plainly(), "Ask again"),
    };
    match applied.difference(&known).next() {
        // An upgrade migrates first and replaces the processes after.
        Some(newer) => Fine(format!("up to date; {newer} is of a newer version of the program")),
        None => Fine(format!("up to date, {} migrations", known.len())),
    }
}

async fn examine_clock(store: &Store) -> Finding {
    match store.database_now().await {
        Ok(theirs) => {
            let apart = store.clock().now().seconds_since(theirs);
            if apart.abs() <= MOST_SKEW_SECONDS {
                return Fine(format!("within {MOST_SKEW_SECONDS} seconds of the database's"));
            }
            problem(
                format!("it is {apart} seconds ahead of the database's"),
                "Let both machines keep time (NTP)",
            )
        }
        Err(fault) => problem(fault.plainly(), "Ask again"),
    }
}

async fn examine_secret(store: &Store, settings: &Settings) -> Finding {
    let kept = settings.data_dir.join(reception::SECRET_FILE);
    if settings.secret_key.is_none() && !kept.exists() {
        return Fine(
            "none yet: the first start of the API makes one in the data folder".to_owned(),
        );
    }
    let secret = match reception::secret(store, settings) {
        Ok(secret) => secret,
        Err(trouble) => {
            return problem(chain(&trouble), "Give it at least 32 characters by chance");
        }
    };
    let keys = match store.published_signing_keys().await {
        Ok(keys) => keys,
        Err(fault) => return problem(fault.plainly(), "Ask again"),
    };
    match keys.iter().find(|key| key.turn.state == SigningKeyState::Active) {
        None => Fine("no key signs yet: the first start of the API makes one".to_owned()),
        Some(key) if key.private(&secret).is_ok() => {
            Fine(format!("it opens {}, the key that signs", key.turn.id))
        }
        Some(key) => problem(
            format!("it does not open {}, the key that signs", key.turn.id),
            "Give AFTERCARE_SECRET_KEY the value it had, or make new keys with `aftercare keys rotate`",
        ),
    }
}

async fn examine_redis(settings: &Settings) -> Finding {
    let Some(url) = &settings.redis_url else {
        return Fine("not set: wake-ups and limits stay in each process".to_owned());
    };
    match store::wake::ask(url.reveal()).await {
        Ok(()) => Fine("it answers".to_owned()),
        Err(error) => problem(
            chain(&error),
            "Nothing is lost without it, and limits count for each process; see that it runs, or unset AFTERCARE_REDIS_URL",
        ),
    }
}

fn examine_folder(settings: &Settings) -> Finding {
    let folder = &settings.data_dir;
    let keeps_files = settings.storage_url.is_none();
    if settings.database_url.is_some() && settings.secret_key.is_some() && !keeps_files {
        return Fine("not used: the database, the secret key and files are elsewhere".to_owned());
    }
    if let Err(error) = write_in(folder) {
        let what = format!("{} cannot be written: {error}", folder.display());
        return problem(
            what,
            "Give it to the user of this program, or name another as AFTERCARE_DATA_DIR",
        );
    }
    match rustix::fs::statvfs(folder) {
        Ok(space) => {
            let free = space.f_bavail.saturating_mul(space.f_frsize);
            let says =
                format!("{} has {} MiB free", folder.display(), free.div_euclid(1024 * 1024));
            if free < LEAST_FREE_BYTES {
                problem(says, "Make room: 1 GiB is the least")
            } else {
                Fine(says)
            }
        }
        Err(error) => problem(format!("its space cannot be seen: {error}"), "Look at it with df"),
    }
}

/// Writes a file in the folder and takes it away again.
fn write_in(folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    let file = folder.join("doctor.probe");
    fs::write(&file, "can this folder be written?")?;
    fs::remove_file(file)
}

/// Writes a file where photos and signatures are kept, and takes it away again.
async fn examine_files(settings: &Settings) -> Finding {
    let files = match settings.files() {
        Ok(files) => files,
        Err(mistake) => return problem(chain(&mistake), "Correct AFTERCARE_STORAGE_URL"),
    };
    match files.probe().await {
        Ok(()) => Fine(format!("{files} can be written; every API process needs the same place")),
        Err(fault) => problem(
            format!("{files} cannot be written: {}", chain(&fault)),
            "Give it to the user of this program, or name another as AFTERCARE_STORAGE_URL",
        ),
    }
}

/// What to do about a mail server.
const SERVER: &str =
    "See that it runs, and what AFTERCARE_SMTP_URL says of its name, port, TLS and login";

async fn examine_mail(settings: &Settings) -> Finding {
    let Some(server) = &settings.smtp_url else {
        return Fine("not set: messages are kept and not sent".to_owned());
    };
    let mail = match Mail::new(server.reveal(), &settings.mail_from) {
        Ok(mail) => mail,
        Err(mistake) => {
            return problem(
                mistake.to_string(),
                "Correct AFTERCARE_SMTP_URL or AFTERCARE_MAIL_FROM",
            );
        }
    };
    match tokio::time::timeout(MAIL_PATIENCE, mail.ask()).await {
        Ok(Ok(())) => Fine("the server answers".to_owned()),
        Ok(Err(unreachable)) => problem(unreachable.to_string(), SERVER),
        Err(_) => problem("the mail server did not answer in time", SERVER),
    }
}
