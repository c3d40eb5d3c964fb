//! The walls between tenants, and between the dealers of one.
//!
//! Every operation of the document is tried with a stranger's identifier at every place where one stands:
//! in the path, in the query, and at each member of the body, with the caller's own identifiers everywhere
//! else. A stranger's real identifier, one that was deleted and one that nobody ever had must be answered
//! alike, to every role. An operation that cannot be tried fails the test.

pub(crate) mod brands;
mod operations;

use crate::house::{Client, House, Reply};
use brands::{Names, bury, enter_neighbour, furnish, go_on, notice, own};
use domain::identity::{Role, Scope};
use operations::{Known, Operation, Place, nobodys, operations, sees};
use reqwest::Method;
use sea_orm::ConnectionTrait as _;
use serde_json::json;
use std::collections::BTreeSet;
use store::platform::Twins;

/// Places where even the brand's own program is not told that there is no such record, and why.
const EXCUSED: &[(&str, &str, &str)] = &[
    ("hold_slot", "/staff_id", "a time is looked for among the technicians of the visit's site"),
    (
        "reschedule_appointment",
        "/staff_id",
        "a time is looked for among the technicians of the visit's site",
    ),
];

/// The strangers whose records somebody reaches for.
struct Strangers {
    /// What they have.
    real: Known,
    /// What somebody had, and nobody has any more.
    gone: Known,
}

/// Who reaches.
struct Caller<'a> {
    name: String,
    client: Client,
    scopes: BTreeSet<Scope>,
    own: &'a Known,
}

/// What came of the tries.
#[derive(Default)]
struct Findings {
    /// How many places were tried.
    tried: u32,
    /// Answers that tell a stranger's identifier from nobody's.
    leaks: Vec<String>,
    /// Places at which something else was refused before the identifier was looked at.
    masked: Vec<String>,
    /// Places for which there is nothing to try.
    untried: BTreeSet<String>,
}

impl Findings {
    /// Tries every place of every operation that the caller may do.
    async fn try_all(
        &mut self,
        caller: &Caller<'_>,
        operations: &[&Operation],
        strangers: &Strangers,
    ) {
        for operation in operations.iter().filter(|one| one.is_open_to(&caller.scopes)) {
            for (place, kind) in operation.places() {
                self.try_one(caller, operation, (&place, &kind), strangers).await;
            }
        }
    }

    /// Insists that every place was tried, and that it was its identifier that was refused.
    #[track_caller]
    fn must_be_whole(&self) {
        let is_excused = |line: &&String| {
            EXCUSED.iter().any(|(name, place, _)| line.contains(&format!(" {name} {place}:")))
        };
        let masked: Vec<_> = self.masked.iter().filter(|line| !is_excused(line)).collect();
        assert!(masked.is_empty(), "something else was refused first: {masked:#?}");
        assert!(self.untried.is_empty(), "nothing to try: {:?}", self.untried);
    }

    async fn try_one(
        &mut self,
        caller: &Caller<'_>,
        operation: &Operation,
        (place, kind): (&Place, &str),
        strangers: &Strangers,
    ) {
        let name = format!("{} {place}", operation.name);
        let Some(real) = strangers.real.get(kind).and_then(|ids| ids.first()) else {
            self.untried.insert(name);
            return;
        };
        let random = nobodys(kind);
        let gone = strangers.gone.get(kind).and_then(|ids| ids.first());
        let expected = told(operation, caller, place, &random).await;
        for (whose, id) in [("a stranger's", Some(real)), ("a deleted", gone)] {
            let Some(id) = id else { continue };
            let reply = told(operation, caller, place, id).await;
            self.tried += 1;
            if reply.text != expected.text || reply.went_through {
                let line = format!(
                    "{} {name}: {} for {whose}, {} for nobody's",
                    caller.name, reply.text, expected.text
                );
                self.leaks.push(line);
            }
        }
        if !expected.looked_at {
            self.masked.push(format!("{} {name}: {}", caller.name, expected.text));
        }
    }
}

/// What an answer says.
struct Told {
    /// Status and body, without what tells requests apart.
    text: String,
    /// Whether something was done, or shown, or the service broke.
    went_through: bool,
    /// Whether the answer is about the identifier.
    looked_at: bool,
}

async fn told(operation: &Operation, caller: &Caller<'_>, place: &Place, id: &str) -> Told {
    let reply = operation.tried(&caller.client, caller.own, Some((place, id))).await;
    let mut body = reply.body.clone();
    if let Some(members) = body.as_object_mut() {
        members.remove("request_id");
    }
    let text = format!("{} {}", reply.status.as_u16(), body.to_string().replace(id, "ID"));
    // Lists have data, reports have rows, and what is to be done has steps.
    let has_none = |name: &&str| reply[*name] == json!([]);
    let is_empty_list = reply.status == 200 && ["data", "rows", "steps"].iter().any(has_none);
    let is_filter = operation.method == Method::GET && matches!(place, Place::Query(_));
    Told {
        text,
        went_through: reply.status.is_server_error()
            || reply.status.is_success() && !(is_filter && is_empty_list),
        looked_at: is_filter && is_empty_list || points_at(&reply, place, id),
    }
}

/// Whether a refusal is about the identifier at `place`.
fn points_at(reply: &Reply, place: &Place, id: &str) -> bool {
    match place {
        Place::Path(_) => reply["code"] == "not_found",
        Place::Query(name) => {
            reply["code"] == "unknown_reference" && reply["field"] == name.as_str()
        }
        Place::Body(_) => {
            reply["errors"][0]["pointer"] == place.to_string()
                && reply["code"] == "unknown_reference"
                || reply["code"] == "staff_site_of_another_dealer"
                    && reply["site_ids"] == json!([id])
        }
    }
}

/// A brand that reaches, and the others within its reach.
struct Neighbourhood {
    ours: Twins,
    key: Client,
    names: Names,
    own: Known,
    strangers: Strangers,
}

/// Three brands with something of every kind, of which one is gone in the end.
async fn settles(house: &House, operations: &[Operation]) -> Neighbourhood {
    let (ours, theirs, gone) =
        (house.brand("ours").await, house.brand("theirs").await, house.brand("gone").await);
    let keys = [ours.live, theirs.live, gone.live].map(|brand| house.brand_key(brand));
    let mut names = Vec::new();
    for key in &keys {
        names.push(furnish(key).await);
    }
    house.pass_days(60).await;
    for (key, names) in keys.iter().zip(&mut names) {
        go_on(key, names).await;
    }
    for (brand, names) in [&ours, &theirs, &gone].into_iter().zip(&names) {
        notice(house, brand.live, names).await;
    }
    house.pass_days(2).await;
    // Everybody who was asked answers.
    for page in crate::voice::links(house).await {
        let customer = house.stranger();
        let form = customer.request(Method::POST, &page).form(&[("score", "5")]);
        customer.send(form).await.expect(200);
    }
    let mut seen = Vec::new();
    for (key, brand) in keys.iter().zip([&ours, &theirs, &gone]) {
        let mut known = sees(key, operations).await;
        let clocks = house.sandbox_key(brand.test).get("/v1/test/clocks").await.expect(200);
        operations::collect(&clocks.body["data"], &mut known);
        seen.push(known);
    }
    bury(house, gone.live).await;
    let [first, real, gone] = seen.try_into().unwrap();
    let (key, names) = (keys[0].clone(), names.remove(0));
    let own = own(&names, &first);
    Neighbourhood { ours, key, names, own, strangers: Strangers { real, gone } }
}

#[tokio::test]
async fn another_brand_s_records_are_answered_like_nobody_s_to_every_role() {
    let house = House::opens().await;
    let operations = operations();
    let Neighbourhood { ours, key, names, own, strangers } = settles(&house, &operations).await;
    for (kind, ids) in &own {
        let theirs = strangers.real.get(kind).into_iter().flatten();
        let shown: Vec<_> = theirs.filter(|id| ids.contains(id)).collect();
        assert!(shown.is_empty(), "a list shows what another brand has: {shown:?}");
    }
    let all: BTreeSet<_> = Scope::ALL.iter().copied().collect();
    let caller =
        |name: &str, client, scopes| Caller { name: name.to_owned(), client, scopes, own: &own };
    let mut findings = Findings::default();
    let program = caller("the brand's key", key, all.clone());
    // A live brand is refused what there is in a sandbox only, so the sandbox's key tries that.
    let (of_sandbox, of_brand): (Vec<_>, Vec<_>) =
        operations.iter().partition(|one| one.path.starts_with("/v1/test/"));
    findings.try_all(&program, &of_brand, &strangers).await;
    let sandbox = caller("the sandbox's key", house.sandbox_key(ours.test), all.clone());
    findings.try_all(&sandbox, &of_sandbox, &strangers).await;
    findings.must_be_whole();

    let operations: Vec<_> = operations.iter().collect();
    let program = house.dealer_key(ours.live, &names["dealer"]);
    let program = caller("a dealer's key", program, all);
    findings.try_all(&program, &operations, &strangers).await;
    for role in Role::ALL {
        let dealer = (!role.is_brand()).then(|| names["dealer"].parse().unwrap());
        let staff = names.get(&word(role)).unwrap_or(&names["clerk"]);
        let person = house.person(ours.live, role, staff.parse().unwrap(), dealer);
        let person = caller(&format!("{role:?}"), person, role.scopes());
        findings.try_all(&person, &operations, &strangers).await;
    }
    assert!(findings.leaks.is_empty(), "{:#?}", findings.leaks);
    assert!(findings.tried > 2_000, "only {} tries", findings.tried);

    // A customer's link opens its page and nothing else.
    let link = crate::voice::link(&house).await;
    let customer = house.bearer(link.rsplit('/').next().unwrap());
    for operation in &operations {
        let reply = operation.tried(&customer, &own, None).await;
        assert_eq!(reply.status.as_u16(), 401, "{}: {reply:?}", operation.name);
    }
}

fn word(role: Role) -> String {
    serde_json::to_value(role).unwrap().as_str().unwrap().to_owned()
}

/// A database without its second wall: nothing but the statements themselves says whose rows they are about.
async fn tear_down_second_wall(house: &House) {
    let sql = "DO $$ DECLARE found record; BEGIN
        FOR found IN SELECT relname FROM pg_class
            WHERE relnamespace = 'public'::regnamespace AND relrowsecurity
        LOOP EXECUTE format('ALTER TABLE %I DISABLE ROW LEVEL SECURITY', found.relname);
        END LOOP; END $$";
    house.owner().await.execute_unprepared(sql).await.unwrap();
}

#[tokio::test]
async fn one_wall_alone_keeps_brands_apart() {
    let house = House::opens().await;
    let operations = operations();
    let Neighbourhood { key, own, strangers, .. } = settles(&house, &operations).await;
    tear_down_second_wall(&house).await;
    let scopes = Scope::ALL.iter().copied().collect();
    let program = Caller { name: "the brand's key".to_owned(), client: key, scopes, own: &own };
    let of_brand: Vec<_> =
        operations.iter().filter(|one| !one.path.starts_with("/v1/test/")).collect();
    let mut findings = Findings::default();
    findings.try_all(&program, &of_brand, &strangers).await;
    assert!(findings.leaks.is_empty(), "{:#?}", findings.leaks);
    assert!(findings.tried > 200, "only {} tries", findings.tried);
    // What a list shows is the brand's, too.
    let shown = sees(&program.client, &operations).await;
    for (kind, ids) in &shown {
        let theirs = strangers.real.get(kind).into_iter().flatten();
        let theirs: Vec<_> = theirs.filter(|id| ids.contains(id)).collect();
        assert!(theirs.is_empty(), "a list shows what another brand has: {theirs:?}");
    }
}

#[tokio::test]
async fn another_dealer_s_records_are_answered_like_nobody_s() {
    let house = House::opens().await;
    let brand = house.brand("clearwater").await.live;
    let key = house.brand_key(brand);
    let mut names = furnish(&key).await;
    let mut neighbours = enter_neighbour(&key, &names).await;
    house.pass_days(60).await;
    go_on(&key, &mut names).await;
    go_on(&key, &mut neighbours).await;
    for names in [&names, &neighbours] {
        notice(&house, brand, names).await;
    }
    house.pass_days(2).await;
    let operations = operations();
    let every: Vec<_> = operations.iter().collect();
    let keys = [&names, &neighbours].map(|names| house.dealer_key(brand, &names["dealer"]));
    let (inside, outside) = (sees(&keys[0], &operations).await, sees(&keys[1], &operations).await);
    // What both see is the brand's.
    let mut real = Known::new();
    for (kind, ids) in inside {
        let common = outside.get(&kind).cloned().unwrap_or_default();
        let theirs: Vec<_> = ids.into_iter().filter(|id| !common.contains(id)).collect();
        if !theirs.is_empty() {
            real.insert(kind, theirs);
        }
    }
    for kind in [
        "dlr", "sit", "stf", "cus", "ast", "ord", "cmp", "rem", "ges", "enr", "occ", "wor", "apt",
        "acc", "run", "rst", "inv", "opr", "tea", "bud", "fnd", "evd", "evn", "rma", "cor", "can",
    ] {
        assert!(real.contains_key(kind), "the dealer has no {kind} of its own: {:?}", real.keys());
    }
    let strangers = Strangers { real, gone: Known::new() };
    let own = own(&neighbours, &outside);
    let mut findings = Findings::default();
    let all: BTreeSet<_> = Scope::ALL.iter().copied().collect();
    let client = keys[1].clone();
    let program = Caller { name: "the dealer's key".to_owned(), client, scopes: all, own: &own };
    findings.try_all(&program, &every, &strangers).await;
    for role in Role::ALL.into_iter().filter(|role| !role.is_brand()) {
        let staff = neighbours.get(&word(role)).unwrap_or(&neighbours["clerk"]);
        let dealer = Some(neighbours["dealer"].parse().unwrap());
        let client = house.person(brand, role, staff.parse().unwrap(), dealer);
        let person = Caller { name: format!("{role:?}"), client, scopes: role.scopes(), own: &own };
        findings.try_all(&person, &every, &strangers).await;
    }
    assert!(findings.leaks.is_empty(), "{:#?}", findings.leaks);
    assert!(findings.tried > 400, "only {} tries", findings.tried);
}

#[tokio::test]
async fn every_role_may_do_what_its_scopes_say_and_nothing_else() {
    let house = House::opens().await;
    let brand = house.brand("clearwater").await.live;
    let key = house.brand_key(brand);
    let dealer =
        key.post("/v1/dealers", json!({"code": "one", "name": "One"})).await.expect(201).id();
    let clerk = json!({"dealer_id": dealer, "name": "Somebody", "role": "clerk"});
    let staff = key.post("/v1/staff", clerk).await.expect(201).id();
    let operations = operations();
    let mut wrong = Vec::new();
    for role in Role::ALL {
        let of_dealer = (!role.is_brand()).then(|| dealer.parse().unwrap());
        let person = house.person(brand, role, staff.parse().unwrap(), of_dealer);
        let scopes = role.scopes();
        for operation in &operations {
            let reply = operation.tried(&person, &Known::new(), None).await;
            let refused =
                reply["code"] == "forbidden" && reply["required_scope"] == operation.scope.as_str();
            let may = operation.is_open_to(&scopes);
            if may == refused || reply.status.is_server_error() || reply.status.as_u16() == 401 {
                wrong.push(format!("{role:?} {} ({}): {reply:?}", operation.name, operation.scope));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn a_dealer_s_key_writes_what_is_the_dealer_s_and_is_told_what_is_not() {
    let house = House::opens().await;
    let brand = house.brand("clearwater").await.live;
    let key = house.brand_key(brand);
    let names = furnish(&key).await;
    house.settle().await;
    let operations = operations();
    let own = own(&names, &sees(&key, &operations).await);
    let program = house.dealer_key(brand, &names["dealer"]);
    let mut wrong = Vec::new();
    for operation in &operations {
        let reply = operation.tried(&program, &own, None).await;
        let is_the_brands = operation.scope.parse().is_ok_and(Scope::is_the_brands);
        let is_told = reply["code"] == "shared_by_all_dealers" && reply.status == 403;
        // Products share their scope with assets.
        let is_product =
            operation.path.starts_with("/v1/products") && operation.method != Method::GET;
        if reply.status.is_server_error() || is_told != (is_the_brands || is_product) {
            wrong.push(format!("{} ({}): {reply:?}", operation.name, operation.scope));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn without_credentials_there_is_nothing() {
    let house = House::opens().await;
    let stranger = house.stranger();
    for operation in operations() {
        let reply = operation.tried(&stranger, &Known::new(), None).await;
        assert_eq!(reply.status.as_u16(), 401, "{}: {reply:?}", operation.name);
    }
}
