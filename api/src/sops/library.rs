//! `/v1/sops/export` and `/v1/sops/import`: all procedures as one document, to be kept among other sources.

use crate::{
    access::{Access, Api, Outcome, Work, may},
    list::Parameters,
    problem::{self, Problem},
    reading,
    request::{Id, expect_type},
};
use axum::{
    body::Bytes,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use domain::{
    ids::SopId,
    invalid::Invalid,
    refusal::Refusal,
    sops::{
        Department, LIBRARY_TOO_LARGE, MOST_SOPS, Sop, SopIntake, SopIntakeReport, SopLibrary,
        SopsOfOneCode,
        library::yaml::{self, YamlMistake},
    },
    text::Line,
};
use serde::{Deserialize, Serialize};
use store::{Fault, library::WantedVersions};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

/// The media type of YAML (RFC 9512), and the names that it had before.
const YAML: [&str; 3] = ["application/yaml", "application/x-yaml", "text/yaml"];

/// What drafts of a document say about themselves where the document says nothing.
const NOTE: &str = "Imported.";

/// The routes of this file.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(export_sops))
        .routes(routes!(export_sop))
        .routes(routes!(import_sops))
}

/// Which version of each procedure is exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ExportedVersions {
    /// The newest, whatever its state.
    #[default]
    Newest,
    /// The one in force.
    InForce,
}

impl From<ExportedVersions> for WantedVersions {
    fn from(versions: ExportedVersions) -> Self {
        match versions {
            ExportedVersions::Newest => Self::Newest,
            ExportedVersions::InForce => Self::InForce,
        }
    }
}

/// Which procedures are exported, and in which version.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ExportOptions {
    /// Those of this department.
    department: Option<Department>,
    /// Which version of each: the newest when nothing is said.
    #[serde(default)]
    #[param(inline)]
    versions: ExportedVersions,
}

/// Which version of the procedure is exported.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OneExportOptions {
    /// Which version: the newest when nothing is said.
    #[serde(default)]
    #[param(inline)]
    versions: ExportedVersions,
}

/// How a document is taken over.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ImportManner {
    /// Whether to say what would happen, and do nothing.
    #[serde(default)]
    dry_run: bool,
}

/// Exports all procedures
///
/// As one YAML document, in the order of their codes; members that say what is so anyway are left out. The
/// same procedures are always the same text, so that a version control system shows what has changed. A
/// procedure without the wanted version has no `steps`. At most 500 procedures: narrow them by `department`
/// when there are more. The answers of quizzes are in it, so it takes `sops:write`.
#[utoipa::path(
    get, path = "/sops/export", tag = "sops",
    operation_id = "export_sops",
    params(ExportOptions),
    responses((
        status = 200, description = "The document.",
        content((SopLibrary = "application/yaml")),
    )),
    security(("oauth" = ["sops:write"])),
)]
async fn export_sops(
    access: Access<may::SopsWrite>,
    Parameters(options): Parameters<ExportOptions>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let most = u64::try_from(MOST_SOPS).unwrap_or(u64::MAX);
    let wanted = options.versions.into();
    let sops = reading.sop_library(options.department, wanted, most.saturating_add(1)).await?;
    if sops.len() > MOST_SOPS {
        return Err(Refusal::new(&LIBRARY_TOO_LARGE).with("most", MOST_SOPS).into());
    }
    Ok(document(&SopLibrary::of(sops)))
}

/// Exports a procedure
///
/// As a YAML document like that of all procedures, with this one in it.
#[utoipa::path(
    get, path = "/sops/{id}/export", tag = "sops",
    operation_id = "export_sop",
    params(("id" = SopId, Path, description = "The procedure."), OneExportOptions),
    responses((
        status = 200, description = "The document.",
        content((SopLibrary = "application/yaml")),
    )),
    security(("oauth" = ["sops:write"])),
)]
async fn export_sop(
    access: Access<may::SopsWrite>,
    Id(id): Id<SopId>,
    Parameters(options): Parameters<OneExportOptions>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let sop: Sop = reading.get(id).await?;
    let sops = reading.with_versions(vec![sop], options.versions.into()).await?;
    Ok(document(&SopLibrary::of(sops)))
}

fn document(library: &SopLibrary) -> Response {
    let kind = "application/yaml; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], library.to_yaml()).into_response()
}

/// Imports procedures
///
/// A YAML document as the export writes it, at most 1 MiB and 500 procedures. A procedure whose `code` is not
/// there yet is created, with a draft of its steps. One that is there and whose newest version has other steps
/// or another quiz gets a draft of a new version; its name, department and touchpoint become those of the
/// document. One that says the same already is left alone. Drafts are submitted and published like all others.
/// All of it happens or nothing does. With `dry_run` the answer says what would happen. What is wrong is
/// pointed at by its place in the document, and by its `line`.
#[utoipa::path(
    post, path = "/sops/import", tag = "sops",
    operation_id = "import_sops",
    params(ImportManner),
    request_body(description = "The document.", content((SopLibrary = "application/yaml"))),
    responses((status = 200, description = "What was done.", body = SopIntakeReport)),
    security(("oauth" = ["sops:write"])),
)]
async fn import_sops(
    access: Access<may::SopsWrite>,
    Parameters(manner): Parameters<ImportManner>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Outcome {
    expect_type(&headers, &YAML)?;
    let (text, library) = read(bytes).await?;
    let work = access.write().await?;
    let change_note = Line::new(NOTE).map_err(|mistake| Problem::body("", mistake))?;
    let intake = SopIntake {
        author: work.actor(),
        now: work.now(),
        known: SopsOfOneCode::FollowTheDocument,
        change_note,
    };
    let report = take_over(&work, library, &intake, manner.dry_run).await;
    let report = report.map_err(|refused| match refused {
        NotTaken::Refused(refusal) => with_line(&text, refusal),
        NotTaken::Fault(fault) => fault.into(),
    })?;
    work.answer(StatusCode::OK, Vec::new(), &report).await
}

/// Why a document was not taken over.
pub(super) enum NotTaken {
    /// A rule says no.
    Refused(Refusal),
    /// The database fails.
    Fault(Fault),
}

impl From<Refusal> for NotTaken {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Fault> for NotTaken {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<NotTaken> for Problem {
    fn from(not_taken: NotTaken) -> Self {
        match not_taken {
            NotTaken::Refused(refusal) => refusal.into(),
            NotTaken::Fault(fault) => fault.into(),
        }
    }
}

/// Takes a document over, or says what would come of it.
pub(super) async fn take_over(
    work: &Work,
    library: SopLibrary,
    intake: &SopIntake,
    dry_run: bool,
) -> Result<SopIntakeReport, NotTaken> {
    let known = work.hold_sops(library.codes()).await?;
    let taken = library.take_over(known, intake, || work.new_id::<Uuid>())?;
    let report = SopIntakeReport::of(&taken, dry_run);
    if !dry_run {
        let (sops, versions): (Vec<_>, Vec<_>) =
            taken.into_iter().map(|one| (one.sop, one.version)).unzip();
        work.record_all(sops.into_iter().flatten().collect()).await?;
        work.record_all(versions.into_iter().flatten().collect()).await?;
    }
    Ok(report)
}

/// Reads a document apart from the requests of others, because a large one takes a while.
async fn read(bytes: Bytes) -> Result<(String, SopLibrary), Problem> {
    let reading = tokio::task::spawn_blocking(move || library(&bytes)).await;
    reading.map_err(|_| Problem::new(&problem::FAULT))?
}

fn library(bytes: &[u8]) -> Result<(String, SopLibrary), Problem> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let byte = error.valid_up_to();
        let message = format!("the body stops being UTF-8 at byte {byte}");
        let invalid = Invalid::new("not_utf8", message);
        let invalid = invalid.in_chinese(format!("请求体从第 {byte} 字节起不是 UTF-8"));
        Problem::new(&problem::MALFORMED).at("", invalid)
    })?;
    let value = yaml::read(text).map_err(|YamlMistake { invalid, line }| {
        Problem::new(&problem::MALFORMED).at("", invalid).with("line", line)
    })?;
    let library = reading::from_value(&value).map_err(|mistake| {
        let line = yaml::line_of(text, &mistake.pointer());
        Problem::from(mistake).with("line", line)
    })?;
    Ok((text.to_owned(), library))
}

/// A refusal with the line of what is refused.
fn with_line(text: &str, refusal: Refusal) -> Problem {
    let line = refusal.place.as_deref().and_then(|place| yaml::line_of(text, place));
    Problem::from(refusal).with("line", line)
}
