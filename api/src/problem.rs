//! Problems: every answer that is not the one hoped for, as RFC 9457 describes them.
//!
//! A handler answers with a [`Problem`]; the outermost layer ([`render`]) words it in the caller's
//! language and signs it with the request's id.

use crate::{
    reading::{Mistake, Unread},
    request::{RequestId, language},
};
use axum::{
    Json,
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use domain::{
    invalid::Invalid,
    refusal::{Kind, Refusal, Rule},
    text::{Bilingual, Locale},
};
use serde::Serialize;
use serde_json::{Map, Value};
use store::{Failure, Fault, Missing, Tenant, table::Table};
use utoipa::ToSchema;

/// Why a request was not carried out.
#[derive(Debug, Clone)]
pub struct Problem {
    refusal: Refusal,
    errors: Vec<(String, Invalid)>,
    retry_after_seconds: Option<u64>,
}

/// What is wrong with one part of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({"pointer": "/price/amount", "code": "amount_out_of_range",
    "message": "expected 0 to 1000000000000000 minor units"})))]
pub struct FieldError {
    /// Where it is: a JSON pointer into the body, the name of a parameter or header, or a place in a file
    /// (`line 3, column name`). Empty for the body as a whole.
    pub pointer: String,
    /// A stable name for the mistake.
    pub code: String,
    /// The mistake in a sentence, in the caller's language.
    pub message: String,
    /// The values that would do, when they can be counted; otherwise left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub allowed: Vec<String>,
}

/// A problem as RFC 9457 describes it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem, examples(json!({"type": "/problems/not_found", "title": "Not found",
    "status": 404, "code": "not_found", "detail": "There is no such record.",
    "request_id": "req_01m80t7jx3e9vbq2f4c6d8g0hk", "errors": []})))]
pub struct ProblemBody {
    /// Where the problem is explained; a page of this server.
    #[schema(examples("/problems/not_found"))]
    r#type: String,
    /// The problem in a few words; the same every time.
    #[schema(examples("Not found"))]
    title: String,
    /// The HTTP status, repeated.
    #[schema(examples(404))]
    status: u16,
    /// A stable name for programs.
    #[schema(examples("not_found"))]
    code: String,
    /// What happened this time, in the caller's language.
    #[schema(examples("There is no such record."))]
    detail: String,
    /// The request, for asking us about it.
    #[schema(examples("req_01m80t7jx3e9vbq2f4c6d8g0hk"))]
    request_id: String,
    /// What is wrong with which part of the request, when that is known.
    errors: Vec<FieldError>,
    /// The numbers and names behind the problem, by name, beside the members above.
    #[serde(flatten)]
    #[schema(ignore)]
    facts: Map<String, Value>,
}

/// Members of every problem, which no fact may shadow.
const MEMBERS: [&str; 7] = ["type", "title", "status", "code", "detail", "request_id", "errors"];

macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:literal,
        $title_en:literal / $title_zh:literal, $detail_en:literal / $detail_zh:literal,
        $advice_en:literal / $advice_zh:literal;)*) => {
        $(
            $(#[$doc])*
            pub static $name: Rule = Rule {
                code: $code,
                kind: Kind::Protocol($status),
                title: Bilingual { en: $title_en, zh: $title_zh },
                detail: Bilingual { en: $detail_en, zh: $detail_zh },
                advice: Bilingual { en: $advice_en, zh: $advice_zh },
            };
        )*

        /// The problems of the protocol; those of the business are `domain::refusal::rules`.
        pub static PROTOCOL: &[&Rule] = &[$(&$name),*];
    };
}

problems! {
    /// The request cannot be read.
    MALFORMED = "malformed_request", 400, "Malformed request" / "请求格式错误",
        "The request cannot be read." / "无法解析该请求。",
        "Correct what `errors` points at." / "请按 `errors` 指出的位置修正。";
    /// A parameter is not one of this operation's.
    INVALID_PARAMETER = "invalid_parameter", 400, "Invalid parameter" / "参数无效",
        "A parameter of the request is not valid." / "请求中的参数无效。",
        "Correct what `errors` points at; unknown parameters are refused, so that a typing error is not silently ignored." / "请按 `errors` 指出的位置修正；未知参数会被拒绝，以免拼写错误被忽略。";
    /// An identifier of another kind stands where one was expected.
    WRONG_ID_TYPE = "wrong_id_type", 400, "Wrong kind of identifier" / "标识符类型不符",
        "An identifier of another kind was given." / "给出的标识符类型不符。",
        "Identifiers begin with their kind, such as `cus_` for customers." / "标识符以其类型开头，例如客户为 `cus_`。";
    /// A text stands where an identifier was expected.
    MALFORMED_ID = "malformed_id", 400, "Malformed identifier" / "标识符格式错误",
        "What was given is not an identifier." / "给出的内容不是有效的标识符。",
        "Pass identifiers on exactly as you received them." / "请原样传递收到的标识符。";
    /// The operation moves money or messages and needs a key.
    KEY_REQUIRED = "idempotency_key_required", 400, "Idempotency-Key required" / "缺少 Idempotency-Key",
        "This operation moves money or messages and needs the header Idempotency-Key." / "此操作涉及资金或消息，必须携带 Idempotency-Key 请求头。",
        "Make up a new key for each intention (a UUID is fine) and repeat it when you repeat the request." / "请为每个业务意图生成新的键（例如 UUID），重试时沿用同一个键。";
    /// The key is not one.
    KEY_MALFORMED = "idempotency_key_malformed", 400, "Idempotency-Key malformed" / "Idempotency-Key 格式错误",
        "An Idempotency-Key is 1 to 128 visible ASCII characters." / "Idempotency-Key 必须是 1 至 128 个可见 ASCII 字符。",
        "Use a UUID." / "建议使用 UUID。";
    /// Nobody knows who is calling.
    UNAUTHORIZED = "unauthorized", 401, "Not signed in" / "未通过身份验证",
        "The request carries no valid credentials." / "请求未携带有效的凭证。",
        "Send `Authorization: Bearer` with an API key or a token that has not expired." / "请在 `Authorization: Bearer` 中携带有效的 API 密钥或未过期的令牌。";
    /// The caller lacks a scope.
    FORBIDDEN = "forbidden", 403, "Not allowed" / "没有权限",
        "The credentials lack the scope {required_scope}." / "该凭证缺少权限 {required_scope}。",
        "Use credentials with the scope named in `required_scope`." / "请使用具备 `required_scope` 所示权限的凭证。";
    /// There is no such record, for this caller.
    NOT_FOUND = "not_found", 404, "Not found" / "未找到",
        "There is no such record." / "没有这样的记录。",
        "Check the identifier, and whether it belongs to the brand and dealer of your credentials." / "请检查标识符，以及它是否属于当前凭证对应的品牌和经销商。";
    /// There is no such place.
    NO_SUCH_ROUTE = "no_such_route", 404, "No such address" / "地址不存在",
        "There is nothing at this address." / "该地址下没有内容。",
        "See /docs for everything there is." / "所有可用接口请见 /docs。";
    /// The place does not know the method.
    METHOD_NOT_ALLOWED = "method_not_allowed", 405, "Method not allowed" / "请求方法不允许",
        "This address does not know the method." / "该地址不支持此请求方法。",
        "See /docs for what it does know." / "支持的方法请见 /docs。";
    /// The body took too long to arrive.
    BODY_TOO_SLOW = "body_too_slow", 408, "Body too slow" / "请求体传输过慢",
        "The body did not arrive within {seconds} seconds." / "请求体未能在 {seconds} 秒内到达。",
        "Send it again over a better connection." / "请在更好的网络条件下重试。";
    /// Somebody else was faster.
    TRY_AGAIN = "conflict_try_again", 409, "In each other's way" / "并发冲突",
        "Another request was in the way; nothing was changed." / "另一请求正在进行，未做任何更改。",
        "Send the request again." / "请重新发送请求。";
    /// The same request is being carried out.
    STILL_RUNNING = "request_still_running", 409, "Still running" / "请求仍在处理中",
        "A request with this Idempotency-Key is being carried out." / "使用相同 Idempotency-Key 的请求仍在处理。",
        "Ask again after `Retry-After` seconds." / "请在 `Retry-After` 秒后重试。";
    /// There is such a record already.
    ALREADY_EXISTS = "already_exists", 409, "Already there" / "已存在",
        "There is a record with the same {fields} already." / "已存在 {fields} 相同的记录。",
        "Read the existing record, or choose another value." / "请读取已有记录，或改用其他值。";
    /// The time or place is taken.
    ALREADY_TAKEN = "already_taken", 409, "Already taken" / "已被占用",
        "The place is taken by something else." / "该时段或位置已被占用。",
        "Choose another." / "请另选。";
    /// The record has changed since it was read.
    STALE = "stale_version", 412, "Changed meanwhile" / "版本已过期",
        "The record was changed by somebody else; it is at version {current_version}." / "记录已被他人修改，当前版本为 {current_version}。",
        "Read it again, apply your change to what you read, and send its new ETag as If-Match." / "请重新读取并在最新版本上修改，再以新的 ETag 作为 If-Match 提交。";
    /// The body is too large.
    TOO_LARGE = "body_too_large", 413, "Body too large" / "请求体过大",
        "The body is larger than {most_bytes} bytes." / "请求体超过 {most_bytes} 字节。",
        "Send it in parts; files go to /v1/imports." / "请分批发送；文件请使用 /v1/imports。";
    /// The body is not of a type that is understood here.
    UNSUPPORTED_TYPE = "unsupported_media_type", 415, "Type not understood" / "不支持的内容类型",
        "Expected a body of type {expected}." / "请求体类型应为 {expected}。",
        "Set Content-Type accordingly." / "请相应设置 Content-Type。";
    /// The body was squeezed.
    ENCODED_BODY = "unsupported_content_encoding", 415, "Encoding not understood" / "不支持的内容编码",
        "The body is encoded as {encoding}; bodies are read as they are." / "请求体以 {encoding} 编码；请求体须以原样提交。",
        "Leave Content-Encoding out." / "请去掉 Content-Encoding。";
    /// The body is in another character set.
    OTHER_CHARSET = "unsupported_charset", 415, "Character set not understood" / "不支持的字符集",
        "The body is announced as {charset}; only UTF-8 is read." / "请求体声明为 {charset}，仅支持 UTF-8。",
        "Send UTF-8." / "请使用 UTF-8 编码提交。";
    /// The body is not what the operation needs.
    INVALID_BODY = "invalid_body", 422, "Invalid body" / "请求体无效",
        "The body is not what this operation needs." / "请求体不符合此操作的要求。",
        "Correct what `errors` points at." / "请按 `errors` 指出的位置修正。";
    /// What the edit is based on cannot be read.
    MATCH_MALFORMED = "if_match_malformed", 400, "If-Match malformed" / "If-Match 格式错误",
        "If-Match holds {if_match}, which is not an ETag of this service." / "If-Match 的内容 {if_match} 不是本服务的 ETag。",
        "Send the ETag as you received it, with its quotation marks: `\"3\"`." / "请原样发送收到的 ETag，包括引号：`\"3\"`。";
    /// The key was used for another request.
    KEY_REUSED = "idempotency_key_reused", 422, "Idempotency-Key used before" / "Idempotency-Key 已被使用",
        "The key was used for another request within the last 24 hours." / "该键在过去 24 小时内已用于其他请求。",
        "Make up a new key for each intention." / "请为每个业务意图生成新的键。";
    /// The body names a record that is not there.
    UNKNOWN_REFERENCE = "unknown_reference", 422, "Unknown reference" / "引用的记录不存在",
        "The record that {field} refers to is not there." / "{field} 引用的记录不存在。",
        "Check the identifier." / "请检查标识符。";
    /// An edit needs to say what it is based on.
    MATCH_REQUIRED = "if_match_required", 428, "If-Match required" / "缺少 If-Match",
        "An edit must carry the ETag of what it is based on as If-Match." / "修改请求必须以 If-Match 携带所基于版本的 ETag。",
        "Read the record first." / "请先读取记录。";
    /// Too many requests.
    TOO_MANY = "too_many_requests", 429, "Too many requests" / "请求过于频繁",
        "The limit of requests is reached." / "已达到请求频率上限。",
        "Wait for `Retry-After` seconds." / "请等待 `Retry-After` 秒后再试。";
    /// The service failed.
    FAULT = "internal_error", 500, "The service failed" / "服务内部错误",
        "Something went wrong on our side." / "服务端发生错误。",
        "Send the request again later; if it keeps failing, tell us the request id." / "请稍后重试；若持续失败，请提供请求编号。";
    /// The service cannot answer now.
    UNAVAILABLE = "unavailable", 503, "Not available" / "服务暂不可用",
        "The service cannot answer right now." / "服务暂时无法响应。",
        "Send the request again after `Retry-After` seconds." / "请在 `Retry-After` 秒后重试。";
    /// The handler took too long.
    TOO_SLOW = "took_too_long", 503, "Took too long" / "处理超时",
        "The request took longer than {seconds} seconds and was given up." / "请求处理超过 {seconds} 秒，已放弃。",
        "Send the request again with the same Idempotency-Key." / "请使用相同的 Idempotency-Key 重试。";
}

/// A record that a body names at `pointer`, as it was found; not to find it is the body's mistake.
///
/// # Errors
///
/// `unknown_reference` when it is not there for this caller.
pub(crate) fn referred<R>(found: Result<R, Missing>, pointer: &str) -> Result<R, Problem> {
    found.map_err(|missing| match missing {
        Missing::NotFound => Problem::unknown_reference(pointer),
        Missing::Fault(fault) => fault.into(),
    })
}

/// The record that a body names at `pointer`, where it names one.
///
/// # Errors
///
/// Those of [`referred`].
pub(crate) async fn referred_if_named<R: Table>(
    tenant: &Tenant,
    id: Option<R::Id>,
    pointer: &str,
) -> Result<Option<R>, Problem> {
    match id {
        Some(id) => referred(tenant.get(id).await, pointer).map(Some),
        None => Ok(None),
    }
}

impl Problem {
    /// A problem described by `rule`.
    pub fn new(rule: &'static Rule) -> Self {
        Self { refusal: Refusal::new(rule), errors: Vec::new(), retry_after_seconds: None }
    }

    /// Adds a fact the caller needs.
    #[must_use]
    pub fn with(mut self, name: &str, fact: impl Serialize) -> Self {
        self.refusal = self.refusal.with(name, fact);
        self
    }

    /// Points at a part of the request.
    #[must_use]
    pub fn at(mut self, pointer: impl Into<String>, mistake: Invalid) -> Self {
        self.errors.push((pointer.into(), mistake));
        self
    }

    /// Says when trying again makes sense.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_seconds = Some(seconds.max(1));
        self
    }

    /// A parameter that is not valid. An identifier of the wrong kind has a code of its own.
    pub fn parameter(name: &str, mistake: Invalid) -> Self {
        Self::new(rule_of(&mistake, &INVALID_PARAMETER)).at(name, mistake)
    }

    /// A body that is not valid at `pointer`.
    pub fn body(pointer: &str, mistake: Invalid) -> Self {
        Self::new(rule_of(&mistake, &INVALID_BODY)).at(pointer, mistake)
    }

    /// A body that refers, at `pointer`, to a record that is not there for this caller.
    pub fn unknown_reference(pointer: &str) -> Self {
        let mistake = Invalid::new("unknown_reference", "there is no such record")
            .in_chinese("没有这样的记录");
        let field = pointer.trim_start_matches('/');
        Self::new(&UNKNOWN_REFERENCE).with("field", field).at(pointer, mistake)
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        let status = match self.refusal.rule.kind {
            Kind::Malformed => 400,
            Kind::NotYours => 403,
            Kind::Conflict => 409,
            Kind::Unfit => 422,
            Kind::Protocol(status) => status,
        };
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Its stable name.
    pub(crate) fn code(&self) -> &'static str {
        self.refusal.rule.code
    }

    /// Its title in English, as the document shows it.
    pub(crate) fn title(&self) -> &'static str {
        self.refusal.rule.title.en
    }

    /// Itself as the document shows it.
    pub(crate) fn example(&self) -> Value {
        let body = self.body_in(Locale::English, "req_01m80t7jx3e9vbq2f4c6d8g0hk");
        serde_json::to_value(body).unwrap_or_default()
    }

    fn body_in(&self, locale: Locale, request_id: &str) -> ProblemBody {
        let rule = self.refusal.rule;
        let mut facts = self.refusal.facts.clone();
        facts.retain(|name, _| !MEMBERS.contains(&name.as_str()));
        ProblemBody {
            r#type: format!("/problems/{}", rule.code),
            title: rule.title.get(locale).to_owned(),
            status: self.status().as_u16(),
            code: rule.code.to_owned(),
            detail: self.detail(locale),
            request_id: request_id.to_owned(),
            errors: self.errors_in(locale),
            facts,
        }
    }
}

impl Problem {
    /// What happened. Where the rule itself says no more than that something is wrong, the first mistake
    /// is named.
    fn detail(&self, locale: Locale) -> String {
        let detail = self.refusal.detail(locale);
        let Some((pointer, mistake)) = self.errors.first() else { return detail };
        let says = mistake.says(locale);
        match (locale, pointer.as_str()) {
            (Locale::Chinese, "") => format!("{detail}{says}。"),
            (Locale::Chinese, place) => format!("{detail}{place}：{says}。"),
            (Locale::English, "") => format!("{detail} In the body: {says}."),
            (Locale::English, place) => format!("{detail} {place}: {says}."),
        }
    }

    fn errors_in(&self, locale: Locale) -> Vec<FieldError> {
        let pointed = self.refusal.place.iter().map(|place| FieldError {
            pointer: place.clone(),
            code: self.refusal.rule.code.to_owned(),
            message: self.refusal.detail(locale),
            allowed: Vec::new(),
        });
        let found = self.errors.iter().map(|(pointer, mistake)| FieldError {
            pointer: pointer.clone(),
            code: mistake.code.clone(),
            message: mistake.says(locale).to_owned(),
            allowed: mistake.allowed.clone(),
        });
        pointed.chain(found).collect()
    }
}

impl From<Unread> for Problem {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::NotJson(invalid) => Self::new(&MALFORMED).at("", invalid),
            Unread::Mistaken(mistake) => mistake.into(),
        }
    }
}

impl From<Mistake> for Problem {
    /// A mistake in a body.
    fn from(mistake: Mistake) -> Self {
        Self::body(&mistake.pointer(), mistake.invalid)
    }
}

/// Mistakes about identifiers are problems of their own.
fn rule_of(mistake: &Invalid, otherwise: &'static Rule) -> &'static Rule {
    match mistake.code.as_str() {
        "wrong_id_type" => &WRONG_ID_TYPE,
        "malformed_id" => &MALFORMED_ID,
        _ => otherwise,
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Words problems, the router's own bare errors included, in the caller's language.
pub async fn render(request: Request, next: Next) -> Response {
    let locale = language(request.headers());
    let request_id = request.extensions().get::<RequestId>().cloned().unwrap_or_default();
    let mut response = next.run(request).await;
    let problem = response.extensions_mut().remove::<Problem>().or_else(|| bare(&response));
    let Some(problem) = problem else { return response };
    let mut worded =
        (problem.status(), Json(problem.body_in(locale, &request_id.0))).into_response();
    // What inner layers said about limits, allowed methods and origins stays true.
    for (name, value) in response.headers() {
        if name != header::CONTENT_TYPE && name != header::CONTENT_LENGTH {
            worded.headers_mut().append(name, value.clone());
        }
    }
    let problem_type = HeaderValue::from_static("application/problem+json");
    worded.headers_mut().insert(header::CONTENT_TYPE, problem_type);
    worded.headers_mut().insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(locale.tag()));
    if let Some(seconds) = problem.retry_after_seconds {
        worded.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    if problem.status() == StatusCode::UNAUTHORIZED {
        let challenge = HeaderValue::from_static("Bearer realm=\"aftercare\"");
        worded.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    worded
}

/// The problem behind an error response that says nothing by itself.
fn bare(response: &Response) -> Option<Problem> {
    let status = response.status();
    let worded = response.headers().contains_key(header::CONTENT_TYPE)
        && !response
            .headers()
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain"));
    if worded || !(status.is_client_error() || status.is_server_error()) {
        return None;
    }
    Some(Problem::new(match status {
        StatusCode::NOT_FOUND => &NO_SUCH_ROUTE,
        StatusCode::METHOD_NOT_ALLOWED => &METHOD_NOT_ALLOWED,
        StatusCode::SERVICE_UNAVAILABLE => &UNAVAILABLE,
        _ if status.is_server_error() => &FAULT,
        _ => &MALFORMED,
    }))
}

/// A handler panicked. That is our mistake, and the caller hears no more of it than of any other.
pub fn after_panic(_: Box<dyn std::any::Any + Send + 'static>) -> Response {
    tracing::error!("a handler panicked");
    Problem::new(&FAULT).into_response()
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, errors: Vec::new(), retry_after_seconds: None }
    }
}

impl From<Missing> for Problem {
    fn from(missing: Missing) -> Self {
        Failure::from(missing).into()
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(refusal) => refusal.into(),
            Failure::NotFound => Self::new(&NOT_FOUND),
            Failure::Fault(fault) => fault.into(),
        }
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        Self::from(&fault)
    }
}

impl From<&Fault> for Problem {
    fn from(fault: &Fault) -> Self {
        match fault {
            Fault::Stale | Fault::Busy(_) => Self::new(&TRY_AGAIN).retry_after(1),
            Fault::Taken { constraint } => {
                Self::new(&ALREADY_EXISTS).with("fields", fields(constraint))
            }
            Fault::Dangling { constraint } => {
                Self::unknown_reference(&format!("/{}", fields(constraint).join(", ")))
            }
            Fault::Overlapping { .. } => Self::new(&ALREADY_TAKEN),
            Fault::Files(_) => {
                tracing::error!(error = fault.plainly(), "the place of files does not answer");
                Self::new(&UNAVAILABLE).retry_after(store::RETRY_AFTER.as_secs())
            }
            Fault::Unreachable(_) | Fault::Late(_) => {
                tracing::warn!(error = fault.plainly(), "the database does not answer");
                Self::new(&UNAVAILABLE).retry_after(store::RETRY_AFTER.as_secs())
            }
            Fault::Broken { .. }
            | Fault::Database(_)
            | Fault::Document(_)
            | Fault::Randomness(_)
            | Fault::Secret(_) => {
                tracing::error!(error = fault.plainly(), "a request failed");
                Self::new(&FAULT)
            }
        }
    }
}

/// The columns that a constraint's name says: `customer__source__external_id`.
fn fields(constraint: &str) -> Vec<String> {
    constraint.split("__").skip(1).map(str::to_owned).collect()
}

/// An error with its causes, for one line of a log.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
