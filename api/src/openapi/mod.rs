//! The OpenAPI document: made from the routes that serve, completed with what all of them share.

mod answers;
mod finish;

use crate::{expand::kinds, problem::ProblemBody};
use domain::identity::Scope;
use utoipa::{
    Modify, OpenApi,
    openapi::{
        self, ContentBuilder, ObjectBuilder, Ref, RefOr, Required, Response, ResponseBuilder, Type,
        example::ExampleBuilder,
        path::{Operation, ParameterBuilder, ParameterIn, PathItem},
        security::{
            ClientCredentials, Flow, HttpAuthScheme, HttpBuilder, OAuth2, Scopes,
            SecurityRequirement, SecurityScheme,
        },
    },
};

/// The document as it is served and held to. `shell::the_committed_document_is_the_one_that_is_served` keeps it
/// the same as what [`complete`] makes.
pub const PUBLISHED: &str = include_str!("../../../openapi/aftercare.json");

/// The bare document, to which the routes add themselves.
#[derive(Debug, OpenApi)]
#[openapi(
    info(
        title = "Aftercare",
        description = include_str!("intro.md"),
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
        contact(name = "Aftercare", url = "https://aftercare.example.com"),
    ),
    servers((url = "/", description = "This server.")),
    components(schemas(
        ProblemBody, kinds::AppointmentExpanded, kinds::WorkOrderExpanded, kinds::OccurrenceExpanded,
        kinds::EnrolmentExpanded, kinds::AssetExpanded, kinds::SaleExpanded, kinds::ComplaintExpanded,
        kinds::GestureExpanded, kinds::InvitationExpanded, kinds::SurveyResponseExpanded,
    )),
    tags(
        (name = "brand", description = "The brand itself, its dealers, sites and staff."),
        (name = "calendars", description = "When work is done, which days are others, and what the year brings."),
        (name = "access", description = "API keys, tokens and where people sign in."),
        (name = "customers", description = "Customers and what happened with them."),
        (name = "catalogue", description = "Products and the assets at customers\u{2019}."),
        (name = "orders", description = "Sales, from which allowances and plans follow."),
        (name = "imports", description = "Files of records, and other long operations."),
        (name = "sops", description = "Standard operating procedures and their execution."),
        (name = "allowances", description = "Money set aside for service, and who may spend how much of it."),
        (name = "gestures", description = "Personal services and gifts, paid from an allowance."),
        (name = "inventory", description = "What may be done for customers, how it compares, and small gifts."),
        (name = "plans", description = "Designed services over time."),
        (name = "visits", description = "Work orders and appointments."),
        (name = "complaints", description = "What went wrong, and how it was put right."),
        (name = "clocks", description = "What is promised to those who complain, and what has come of it."),
        (name = "returns", description = "Goods that come back, and what is done for it."),
        (name = "corrective", description = "Why things went wrong, and what is done so that they do not again."),
        (name = "cancellations", description = "Customers who do not want what they have paid for and not got yet."),
        (name = "surveys", description = "Questions to customers, and their answers."),
        (name = "findings", description = "What the service noticed by itself, for somebody to look at."),
        (name = "sandbox", description = "The test clock and the test outbox."),
        (name = "audit", description = "Who did what, and the queue behind it."),
        (name = "service", description = "Health, version and discovery."),
    ),
)]
pub struct Contract;

/// Says once what every operation shares: who may call, how it fails, what it takes in its headers; and
/// gives schemas and examples their last form.
pub fn complete(mut document: openapi::OpenApi) -> serde_json::Value {
    House.modify(&mut document);
    let mut document = serde_json::to_value(&document).unwrap_or_default();
    finish::finish(&mut document);
    document
}

struct House;

impl Modify for House {
    fn modify(&self, document: &mut openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("api_key", key_scheme());
        components.add_security_scheme("oauth", token_scheme());
        for (path, item) in &mut document.paths.paths {
            for (method, operation) in operations(item) {
                complete_operation(path, method, operation);
            }
        }
    }
}

/// The operations of a path with their methods, in the order of the document.
pub fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let all = [
        ("get", item.get.as_mut()),
        ("put", item.put.as_mut()),
        ("post", item.post.as_mut()),
        ("delete", item.delete.as_mut()),
        ("patch", item.patch.as_mut()),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation?)))
}

fn key_scheme() -> SecurityScheme {
    let description = "An API key of the brand, such as `ak_test_..`, as a bearer token.";
    SecurityScheme::Http(
        HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(description)).build(),
    )
}

fn token_scheme() -> SecurityScheme {
    let scopes = Scope::ALL.iter().map(|scope| (scope.as_str(), scope.says())).collect::<Scopes>();
    let flow = Flow::ClientCredentials(ClientCredentials::new("/oauth/token", scopes));
    let description = "A token of a program (client credentials) or of a person (the brand's own OpenID Connect issuer).";
    SecurityScheme::OAuth2(OAuth2::with_description([flow], description))
}

fn complete_operation(path: &str, method: &str, operation: &mut Operation) {
    let guarded = offer_keys(operation);
    let mut failures = vec![("default", "Any other problem.")];
    failures.push(("400", "The request cannot be understood."));
    if guarded {
        failures.push(("401", "The credentials are missing or not valid."));
        failures.push(("403", "The credentials lack the scope named in `required_scope`."));
        failures.push(("429", "Too many requests; `Retry-After` says when to go on."));
    }
    if path.contains('{') {
        failures.push(("404", "There is no such record, for this caller."));
    }
    if method != "get" {
        failures.push(("408", "The body did not arrive in time."));
        failures.push(("409", "The state of things does not allow it; `code` says why."));
        failures.push(("413", "The body is too large."));
        failures.push(("415", "The body is of another type than expected."));
        failures.push(("422", "The body is not valid; `errors` points at the places."));
    }
    if method == "patch" {
        failures.push(("412", "The record was changed by somebody else since it was read."));
        failures.push(("428", "If-Match is missing."));
        operation.parameters.get_or_insert_default().push(if_match(Required::True).into());
    } else if method != "get" && answers_a_version(operation) {
        failures.push(("412", "The record is not at the version that If-Match names."));
        operation.parameters.get_or_insert_default().push(if_match(Required::False).into());
    }
    if method == "post" && guarded {
        let required = takes_mark(operation, KEY_REQUIRED);
        operation.parameters.get_or_insert_default().push(idempotency_key(required).into());
    }
    failures
        .push(("503", "The service cannot answer right now; `Retry-After` says when to go on."));
    for (status, says) in failures {
        operation
            .responses
            .responses
            .entry(status.to_owned())
            .or_insert_with(|| problem(status, says));
    }
}

/// Handlers name the scope once; a key or a token with it will do. Answers whether it is guarded.
fn offer_keys(operation: &mut Operation) -> bool {
    let Some(security) = operation.security.take() else {
        operation.security = Some(Vec::new());
        return false;
    };
    let guarded = !security.is_empty();
    let mut offered: Vec<SecurityRequirement> = Vec::new();
    if guarded {
        offered.push(SecurityRequirement::new("api_key", Vec::<String>::new()));
    }
    offered.extend(security);
    operation.security = Some(offered);
    guarded
}

fn problem(status: &str, says: &str) -> RefOr<Response> {
    let examples = answers::problems(status).into_iter().map(|problem| {
        let example = ExampleBuilder::new().summary(problem.title()).value(Some(problem.example()));
        (problem.code().to_owned(), example.build())
    });
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("Problem")))
        .examples_from_iter(examples)
        .build();
    ResponseBuilder::new()
        .description(says)
        .content("application/problem+json", content)
        .build()
        .into()
}

/// The mark of operations that cannot do without an Idempotency-Key, in their `utoipa::path`.
const KEY_REQUIRED: &str = "x-idempotency-key-required";

/// Takes a mark away that is for us alone. Answers whether it was there.
fn takes_mark(operation: &mut Operation, mark: &str) -> bool {
    operation.extensions.as_mut().and_then(|marks| marks.remove(mark)).is_some()
}

fn idempotency_key(required: bool) -> openapi::path::Parameter {
    let says = "A name you make up for this intention. Sent again with the same body, the request has one effect and the same answer; kept for 24 hours. Required where money or messages move.";
    let required = if required { Required::True } else { Required::False };
    header("Idempotency-Key", says, "5f0c2b1e-7c1f-4a53-9c55-0d5b6f3f1a11", 128, "^[!-~]+$")
        .required(required)
        .build()
}

fn if_match(required: Required) -> openapi::path::Parameter {
    let says = "The ETag of the record as you read it.";
    let tags = r#"^(\*|"[!#-+\--~]*"(, ?"[!#-+\--~]*")*)$"#;
    header("If-Match", says, "\"3\"", 64, tags).required(required).build()
}

/// Whether the operation changes one record that is there, and says at which version it is then.
fn answers_a_version(operation: &Operation) -> bool {
    matches!(operation.responses.responses.get("200"),
        Some(RefOr::T(response)) if response.headers.contains_key("ETag"))
}

fn header(name: &str, says: &str, example: &str, most: usize, pattern: &str) -> ParameterBuilder {
    let schema = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(most))
        .pattern(Some(pattern));
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .description(Some(says))
        .example(Some(example.into()))
        .schema(Some(schema))
}
