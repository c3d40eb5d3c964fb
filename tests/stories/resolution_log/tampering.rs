//! Whoever changes the log, with all rights that there are, is found out.

use super::Desk;
use crate::program::says;
use domain::complaints::{LogHash, read_line};
use sea_orm::ConnectionTrait as _;

/// What somebody with all rights does to a log of five entries, and what is said of it.
const TAMPERED: &[(&str, &str, &str)] = &[
    (
        "a decision is worded anew",
        "UPDATE resolution SET decision = jsonb_set(decision, '{text}', '\"better\"') FROM resolution_seal s
         WHERE s.id = resolution.id AND serial = 3",
        "2 entries are as they were sealed, up to 2:HASH; WRONG: entry 3 (complaint C-000002) is not what was \
         sealed: it was changed",
    ),
    (
        "it cost less",
        "UPDATE resolution SET cost_minor = 1, currency = 'CNY' FROM resolution_seal s
         WHERE s.id = resolution.id AND serial = 5",
        "entry 5 (complaint C-000003) is not what was sealed: it was changed",
    ),
    (
        "the first answer came in time",
        "UPDATE resolution SET first_answer_at = first_answer_at - interval '1 second' FROM resolution_seal s
         WHERE s.id = resolution.id AND serial = 1",
        "0 entries are as they were sealed; WRONG: entry 1 (complaint C-000001) is not what was sealed: it was changed",
    ),
    (
        "a decision is taken out",
        "UPDATE resolution SET decision = '{}' FROM resolution_seal s WHERE s.id = resolution.id AND serial = 3",
        "2 entries are as they were sealed, up to 2:HASH; WRONG: entry 3 (complaint C-000002) cannot be read: it \
         was changed",
    ),
    (
        "a customer was not satisfied after all",
        "UPDATE customer_word SET verdict = 'silent' FROM resolution_seal s WHERE s.id = customer_word.id AND serial = 2",
        "entry 2 (complaint C-000001) is not what was sealed: it was changed",
    ),
    (
        "an entry is another dealer's",
        "UPDATE resolution_seal SET dealer_id = gen_random_uuid() WHERE serial = 4",
        "entry 4 (complaint C-000002) is not what was sealed: it was changed",
    ),
    (
        "an entry is removed",
        "DELETE FROM resolution USING resolution_seal s WHERE s.id = resolution.id AND serial = 3",
        "entry 3 was removed",
    ),
    (
        "an entry is removed with its seal",
        "DELETE FROM customer_word USING resolution_seal s WHERE s.id = customer_word.id AND serial = 2;
         DELETE FROM resolution_seal WHERE serial = 2",
        "entry 3 (complaint C-000002) stands where entry 2 should: what was between is missing",
    ),
    (
        "the first entry is removed with its seal",
        "DELETE FROM resolution USING resolution_seal s WHERE s.id = resolution.id AND serial = 1;
         DELETE FROM resolution_seal WHERE serial = 1",
        "entry 2 (complaint C-000001) stands where entry 1 should: what was between is missing",
    ),
    (
        "what was removed leaves no gap",
        "DELETE FROM customer_word USING resolution_seal s WHERE s.id = customer_word.id AND serial = 2;
         DELETE FROM resolution_seal WHERE serial = 2;
         UPDATE resolution_seal SET serial = 2 WHERE serial = 3;
         UPDATE resolution_seal SET serial = 3 WHERE serial = 4;
         UPDATE resolution_seal SET serial = 4 WHERE serial = 5",
        "entry 2 (complaint C-000002) is not what was sealed: it was changed",
    ),
    (
        "two entries change places",
        "UPDATE resolution_seal SET serial = 99 WHERE serial = 3;
         UPDATE resolution_seal SET serial = 3 WHERE serial = 4;
         UPDATE resolution_seal SET serial = 4 WHERE serial = 99",
        "entry 3 (complaint C-000002) is not what was sealed: it was changed",
    ),
    (
        "a seal is exchanged",
        "UPDATE resolution_seal SET hash = previous_hash WHERE serial = 4",
        "entry 4 (complaint C-000002) is not what was sealed: it was changed",
    ),
    (
        "a deadline was kept after all",
        "UPDATE resolution SET clocks = '[{\"metric\":\"decision\",\"due_at\":null,\"met_at\":null,\"outcome\":\"kept\"}]'
         FROM resolution_seal s WHERE s.id = resolution.id AND serial = 3",
        "2 entries are as they were sealed, up to 2:HASH; WRONG: entry 3 (complaint C-000002) is not what was \
         sealed: it was changed",
    ),
    (
        "a line is said to be of the form that saw less",
        "UPDATE resolution_seal SET form = 1 WHERE serial = 3",
        "entry 3 (complaint C-000002) is not what was sealed: it was changed",
    ),
    (
        "an entry is put in between",
        "UPDATE resolution_seal SET serial = 99 WHERE serial = 5;
         WITH entry AS (INSERT INTO resolution SELECT (jsonb_populate_record(r, jsonb_build_object(
                 'id', gen_random_uuid(), 'resolution_no', 2))).*
             FROM resolution r JOIN resolution_seal s USING (id) WHERE serial = 3 RETURNING tenant_id, id)
         INSERT INTO resolution_seal SELECT e.tenant_id, e.id, e.id, NULL, NULL, 5, 1, repeat('1', 64),
             repeat('2', 64), now() FROM entry e;
         UPDATE resolution_seal SET serial = 6 WHERE serial = 99",
        "entry 5 (complaint C-000002) is not what was sealed: it was changed",
    ),
    (
        "an entry is put beside those that are sealed",
        "INSERT INTO resolution SELECT (jsonb_populate_record(r, jsonb_build_object(
             'id', gen_random_uuid(), 'resolution_no', 2))).* FROM resolution r WHERE complaint_number = 'C-000001'",
        "5 entries are as they were sealed, up to 5:HASH; WRONG: an entry that is not sealed (complaint C-000001) was \
         not written by the service: nothing is to seal it",
    ),
    (
        "an entry is removed before it is sealed",
        "INSERT INTO resolution_pending SELECT tenant_id, gen_random_uuid(), now() FROM resolution LIMIT 1",
        "an entry that is not sealed was removed; 1 wait for their seal",
    ),
];

/// What is printed, without the hashes, which differ from story to story.
fn plain(text: &str) -> String {
    let is_hash =
        |word: &str| word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let words = text.trim_end().split(' ').map(|word| {
        let bare = word.trim_end_matches([';', ',']);
        match bare.rsplit_once(':').filter(|(_, hash)| is_hash(hash)) {
            Some((serial, _)) => word.replacen(bare, &format!("{serial}:HASH"), 1),
            None => word.to_owned(),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn every_way_to_change_the_log_is_found_and_located() {
    let mut wrong = Vec::new();
    for (what, sql, expected) in TAMPERED {
        let desk = Desk::opens().await;
        desk.writes_five().await;
        let url = desk.house.database_url();
        let settings = [("AFTERCARE_DATABASE_URL", &*url)];
        let sound = says(&["audit", "verify"], &settings).await;
        let intact = "clearwater: 5 entries are as they were sealed, up to 5:HASH";
        assert!(sound.well && plain(&sound.out) == intact, "{}{}", sound.out, sound.err);
        let owner = desk.house.owner().await;
        let all_rights = format!("SET session_replication_role = replica; {sql}");
        owner.execute_unprepared(&all_rights).await.unwrap();
        owner.close().await.unwrap();
        let said = says(&["audit", "verify", "--tenant", "clearwater"], &settings).await;
        let ends = said.err.trim() == "aftercare: 1 log is not as it was sealed";
        if said.well || !ends || !plain(&said.out).ends_with(expected) {
            wrong.push(format!("{what}: {} {}", said.out, said.err));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn an_end_that_was_cut_off_is_told_by_the_head_that_was_noted() {
    let desk = Desk::opens().await;
    desk.writes_five().await;
    let url = desk.house.database_url();
    let settings = [("AFTERCARE_DATABASE_URL", &*url)];
    let head = desk.head().await;
    let hash = head["hash"].as_str().unwrap();
    let noted = format!("{}:{hash}", head["serial"]);
    let verify = ["audit", "verify", "--tenant", "clearwater"];
    for head in [hash, &noted] {
        assert!(says(&[&verify[..], &["--head", head]].concat(), &settings).await.well, "{head}");
    }
    desk.puts_right().await;
    desk.house.settle().await;
    let grown = says(&[&verify[..], &["--head", &noted]].concat(), &settings).await;
    assert!(grown.well, "a log that has grown since is the same: {}", grown.out);

    let cut = "SET session_replication_role = replica;
        DELETE FROM resolution USING resolution_seal s WHERE s.id = resolution.id AND serial >= 5;
        DELETE FROM resolution_seal WHERE serial >= 5";
    desk.house.owner().await.execute_unprepared(cut).await.unwrap();
    assert!(says(&verify, &settings).await.well, "what is left is whole");
    let said = says(&[&verify[..], &["--head", &noted]].concat(), &settings).await;
    let wanted = format!(
        "WRONG: the log ends with entry 4 (complaint C-000002), and the head {noted} is not in it"
    );
    assert!(!said.well && said.out.contains(&wanted), "{}", said.out);
    let said = says(&["audit", "verify", "--head", &noted], &settings).await;
    assert!(!said.well && said.err.contains("name it with --tenant"), "{}", said.err);
    let said = says(&["audit", "verify", "--tenant", "nobody"], &settings).await;
    assert!(!said.well && said.err.contains("there is no brand nobody"), "{}", said.err);
    let said =
        says(&["audit", "verify", "--tenant", "clearwater", "--head", "9f"], &settings).await;
    assert!(!said.well && said.err.contains("expected a hash of 64"), "{}", said.err);
}

#[tokio::test]
async fn the_log_refuses_to_be_changed_by_a_slip_of_the_owner_s_hand() {
    let desk = Desk::opens().await;
    desk.writes_five().await;
    let owner = desk.house.owner().await;
    for table in ["resolution", "customer_word", "resolution_seal"] {
        for sql in [
            format!("UPDATE {table} SET tenant_id = tenant_id"),
            format!("DELETE FROM {table}"),
            format!("TRUNCATE {table} CASCADE"),
        ] {
            let refused = owner.execute_unprepared(&sql).await.unwrap_err().to_string();
            assert!(refused.contains("only grows"), "{sql}: {refused}");
        }
    }
}

/// Seals the log of a desk anew in the first form, as a release before there was a second one did.
async fn seals_in_the_first_form(desk: &Desk) {
    let export = desk.exports("").await.text;
    let owner = desk.house.owner().await;
    let mut before = LogHash::NONE;
    for line in export.lines() {
        let mut line = read_line(line).unwrap();
        line.entry.as_object_mut().unwrap().remove("clocks");
        (line.form, line.previous_hash) = (1, before);
        line.hash = line.expected_hash().unwrap();
        before = line.hash;
        let sql = format!(
            "SET session_replication_role = replica;
             UPDATE resolution_seal SET form = 1, previous_hash = '{}', hash = '{}' WHERE serial = {}",
            line.previous_hash, line.hash, line.serial
        );
        owner.execute_unprepared(&sql).await.unwrap();
    }
    owner.close().await.unwrap();
}

#[tokio::test]
async fn a_log_that_was_begun_in_the_first_form_goes_on_in_the_second() {
    let desk = Desk::opens().await;
    desk.writes_five().await;
    seals_in_the_first_form(&desk).await;
    let noted = desk.head().await["hash"].as_str().unwrap().to_owned();
    let url = desk.house.database_url();
    let settings = [("AFTERCARE_DATABASE_URL", &*url)];
    let verify = ["audit", "verify", "--tenant", "clearwater", "--head", &noted];
    let old = says(&verify, &settings).await;
    assert!(old.well, "{}{}", old.out, old.err);
    desk.puts_right().await;
    desk.house.settle().await;
    let forms: Vec<_> =
        desk.exports("").await.text.lines().map(|line| read_line(line).unwrap().form).collect();
    assert_eq!(forms, [1, 1, 1, 1, 1, 2]);
    let grown = says(&verify, &settings).await;
    assert!(grown.well, "{}{}", grown.out, grown.err);

    // A line of the first form was sealed without clocks, so what it tells of them was put there.
    let put_in = "SET session_replication_role = replica;
        UPDATE resolution SET clocks = '[{\"metric\":\"decision\",\"due_at\":null,\"met_at\":null,\"outcome\":\"kept\"}]'
        FROM resolution_seal s WHERE s.id = resolution.id AND serial = 3";
    let owner = desk.house.owner().await;
    owner.execute_unprepared(put_in).await.unwrap();
    owner.close().await.unwrap();
    let wrong = says(&verify, &settings).await;
    let expected = "WRONG: entry 3 (complaint C-000002) is not what was sealed: it was changed";
    assert!(!wrong.well && wrong.out.contains(expected), "{}", wrong.out);
    let shown = desk.exports("").await.text;
    let third = read_line(shown.lines().nth(2).unwrap()).unwrap();
    assert_eq!(third.entry, serde_json::Value::Null, "nor is it handed out as if it were sound");
}
