//! What a condition may be made of. The language itself has no limits while it runs, so they are drawn here, before
//! anything is saved.

use crate::invalid::Invalid;
use cel::{
    ParseErrors,
    common::ast::{CallExpr, Expr, IdedExpr, LiteralValue, SelectExpr, operators},
};
use std::{collections::BTreeSet, fmt};

/// How deep a condition nests: brackets, choices and chains of comparisons. Deeper ones cannot be read.
const MOST_DEPTH: u16 = 24;

/// The most brackets and choices inside each other. At two dozen the parser runs out of stack.
const MOST_BRACKETS: u16 = 10;

/// How deep the parser goes: into every bracket from the whole. It is asked again, should a text ever pass the look over
/// it that has more.
pub(super) const PARSER_DEPTH: u16 = MOST_BRACKETS + 1;

/// The most words, signs and texts: as many as 500 characters have when they say something.
const MOST_PIECES: usize = 120;

/// A group of facts.
pub(super) struct Root {
    /// What it is called.
    pub(super) name: &'static str,
    /// The facts in it; `None` when it has whatever the event or the procedure brings.
    pub(super) members: Option<&'static [&'static str]>,
}

/// All facts that a condition can ask for.
pub(super) const ROOTS: [Root; 7] = [
    Root { name: "customer", members: Some(&["kind", "lifecycle", "locale", "tier"]) },
    Root { name: "place", members: Some(&["region", "site"]) },
    Root { name: "weather", members: Some(&["temp_c10"]) },
    Root { name: "order", members: Some(&["currency", "line_count", "total_minor"]) },
    Root { name: "product", members: Some(&["category", "sku"]) },
    Root { name: "event", members: None },
    Root { name: "step", members: None },
];

/// Functions that look at a text or a list once, each with a call of it as it is written.
pub(super) const FUNCTIONS: [(&str, &str); 4] = [
    ("contains", "event.reason.contains('visit')"),
    ("endsWith", "event.reason.endsWith('visit')"),
    ("size", "size(event.reason)"),
    ("startsWith", "event.reason.startsWith('first')"),
];

/// What goes over a list again and again, and patterns, which go over a text.
const ENDLESS: [&str; 6] = ["all", "exists", "exists_one", "filter", "map", "matches"];

/// Operators that answer yes or no.
const QUESTIONS: [&str; 10] = [
    operators::LOGICAL_AND,
    operators::LOGICAL_OR,
    operators::LOGICAL_NOT,
    operators::EQUALS,
    operators::NOT_EQUALS,
    operators::LESS,
    operators::LESS_EQUALS,
    operators::GREATER,
    operators::GREATER_EQUALS,
    operators::IN,
];

/// Operators that reckon, or choose.
const RECKONING: [&str; 6] = [
    operators::CONDITIONAL,
    operators::ADD,
    operators::SUBSTRACT,
    operators::MULTIPLY,
    operators::DIVIDE,
    operators::NEGATE,
];

/// A fact by its name, such as `customer.tier`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FactName {
    /// The group.
    pub(super) root: &'static str,
    /// The fact in it.
    pub(super) member: String,
}

impl fmt::Display for FactName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = self.member.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if plain {
            return write!(f, "{}.{}", self.root, self.member);
        }
        write!(f, "{}[\"{}\"]", self.root, self.member)
    }
}

/// Looks a text over before it is parsed: its length, its alphabet, how deep and how long it is.
pub(super) fn look_over(text: &str) -> Result<(), Invalid> {
    if text.trim().is_empty() {
        return Err(Invalid::new("blank", "expected some text").in_chinese("应填写文字"));
    }
    let most = super::MOST_CHARACTERS;
    if text.chars().count() > most {
        let message = format!("expected at most {most} characters");
        return Err(Invalid::new("too_long", message).in_chinese(format!("最多 {most} 个字符")));
    }
    let mut scan = Scan::default();
    text.chars().try_for_each(|c| scan.step(c))?;
    if scan.quote.is_some() {
        return Err(malformed("a text is not closed", "文字缺少结束引号"));
    }
    Ok(())
}

/// Where a look over a text is.
#[derive(Default)]
struct Scan {
    /// The quotation mark that the text at hand began with.
    quote: Option<char>,
    /// Brackets and choices that are open.
    open: u16,
    /// Words, signs and texts so far.
    pieces: usize,
    /// Whether the last character belonged to a word.
    in_word: bool,
    /// The last character.
    last: char,
}

impl Scan {
    fn step(&mut self, c: char) -> Result<(), Invalid> {
        let last = std::mem::replace(&mut self.last, c);
        if (c.is_control() && c != '\n' && c != '\t') || c == '\\' {
            let message = "expected no control characters and no backslashes";
            return Err(malformed(message, "不能包含控制字符或反斜杠"));
        }
        if let Some(quote) = self.quote {
            if c == '\n' {
                return Err(malformed("a text is not closed on its line", "文字须在同一行内结束"));
            }
            self.quote = Some(quote).filter(|quote| *quote != c);
            return Ok(());
        }
        let word = c.is_ascii_alphanumeric() || c == '_';
        let goes_on = c.is_whitespace() || (word && self.in_word);
        if !goes_on {
            self.pieces = self.pieces.saturating_add(1);
        }
        self.in_word = word;
        match c {
            '"' | '\'' if last.is_ascii_alphanumeric() => {
                return Err(malformed("a text has no letters in front", "引号前不能有字母"));
            }
            // Three of them would begin a text that goes on where this look takes it to end, and the other way round.
            '"' | '\'' if matches!(last, '"' | '\'') => {
                let message = "a text has one quotation mark at each end";
                return Err(malformed(message, "文字前后各用一个引号"));
            }
            '"' | '\'' => self.quote = Some(c),
            '(' | '[' | '?' => self.open = self.open.saturating_add(1),
            ')' | ']' => self.open = self.open.saturating_sub(1),
            '/' if last == '/' => return Err(malformed("there are no comments", "不支持注释")),
            '.' | ',' | ':' | '!' | '=' | '<' | '>' | '&' | '|' | '+' | '-' | '*' | '/' => {}
            _ if word || c.is_whitespace() => {}
            _ => {
                let message = format!("`{c}` has no meaning here");
                return Err(malformed(&message, &format!("此处不能使用“{c}”")));
            }
        }
        if self.open > MOST_BRACKETS || self.pieces > MOST_PIECES {
            Err(too_complex())
        } else {
            Ok(())
        }
    }
}

/// What the parser has to say.
pub(super) fn cannot_read(errors: &ParseErrors) -> Invalid {
    let Some(error) = errors.errors.first() else {
        return malformed("it cannot be read", "无法解析");
    };
    // The parser tells its own limit by these words alone.
    if error.msg.contains("Recursion limit") {
        return too_complex();
    }
    let said: String = error.msg.chars().filter(|c| !c.is_control()).collect();
    let said = said.strip_prefix("Syntax error: ").unwrap_or(&said);
    let (line, column) = error.pos;
    malformed(
        &format!("line {line}, character {column}: {said}"),
        &format!("第 {line} 行第 {column} 个字符附近有语法错误"),
    )
}

/// Goes through a condition that was read, and collects the facts it asks for.
pub(super) fn walk(read: &IdedExpr) -> Result<BTreeSet<FactName>, Invalid> {
    let mut names = BTreeSet::new();
    visit(read, 0, &mut names)?;
    if asks(&read.expr) {
        return Ok(names);
    }
    Err(malformed(
        "expected a question of yes and no, such as a comparison",
        "应为能回答“是”或“否”的判断，例如一个比较",
    ))
}

/// Whether an expression can answer yes or no.
fn asks(expr: &Expr) -> bool {
    match expr {
        Expr::Call(call) => {
            let name = call.func_name.as_str();
            let chosen = name == operators::CONDITIONAL;
            QUESTIONS.contains(&name)
                || name == operators::INDEX
                || (written(name).is_some() && name != "size")
                || (chosen && call.args.iter().skip(1).all(|arm| asks(&arm.expr)))
        }
        Expr::Select(_) | Expr::Literal(LiteralValue::Boolean(_)) => true,
        Expr::Unspecified
        | Expr::Comprehension(_)
        | Expr::Ident(_)
        | Expr::List(_)
        | Expr::Literal(_)
        | Expr::Map(_)
        | Expr::Struct(_) => false,
    }
}

fn visit(part: &IdedExpr, depth: u16, names: &mut BTreeSet<FactName>) -> Result<(), Invalid> {
    if depth > MOST_DEPTH {
        return Err(too_complex());
    }
    let deeper = depth.saturating_add(1);
    match &part.expr {
        Expr::Literal(
            LiteralValue::Boolean(_)
            | LiteralValue::Double(_)
            | LiteralValue::Int(_)
            | LiteralValue::Null
            | LiteralValue::String(_),
        ) => Ok(()),
        Expr::List(list) => list.elements.iter().try_for_each(|one| visit(one, deeper, names)),
        Expr::Select(select) => {
            names.insert(fact_selected(select)?);
            Ok(())
        }
        Expr::Call(call) if call.func_name == operators::INDEX => {
            names.insert(fact_indexed(call)?);
            Ok(())
        }
        Expr::Call(call) => {
            check_call(call)?;
            let mut parts = call.target.iter().map(AsRef::as_ref).chain(&call.args);
            parts.try_for_each(|one| visit(one, deeper, names))
        }
        Expr::Ident(name) => Err(unknown_name(name)),
        Expr::Comprehension(_) => Err(may_not_end("…")),
        Expr::Literal(LiteralValue::Bytes(_) | LiteralValue::UInt(_))
        | Expr::Unspecified
        | Expr::Map(_)
        | Expr::Struct(_) => Err(strange()),
    }
}

/// `customer.tier`.
fn fact_selected(select: &SelectExpr) -> Result<FactName, Invalid> {
    match &select.operand.expr {
        Expr::Ident(root) => fact(root, &select.field),
        Expr::Select(inner) => {
            fact_selected(inner)?;
            Err(unknown_name(&select.field))
        }
        Expr::Unspecified
        | Expr::Call(_)
        | Expr::Comprehension(_)
        | Expr::List(_)
        | Expr::Literal(_)
        | Expr::Map(_)
        | Expr::Struct(_) => Err(unknown_name(&select.field)),
    }
}

/// `step["flush-time"]`.
fn fact_indexed(call: &CallExpr) -> Result<FactName, Invalid> {
    let mut parts = call.target.iter().map(AsRef::as_ref).chain(&call.args);
    match (parts.next().map(|part| &part.expr), parts.next().map(|part| &part.expr)) {
        (Some(Expr::Ident(root)), Some(Expr::Literal(LiteralValue::String(member)))) => {
            fact(root, member.inner())
        }
        _ => Err(malformed(
            "square brackets after a fact hold the name of a fact, as in `step[\"flush-time\"]`",
            "方括号内应为信息名称，例如 `step[\"flush-time\"]`",
        )),
    }
}

fn fact(root: &str, member: &str) -> Result<FactName, Invalid> {
    let known = ROOTS.iter().find(|known| known.name == root);
    let known = known.ok_or_else(|| unknown_name(root))?;
    let fits = known.members.is_none_or(|members| members.contains(&member));
    if fits && member.parse::<crate::text::Code>().is_ok() {
        return Ok(FactName { root: known.name, member: member.to_owned() });
    }
    Err(unknown_name(&format!("{root}.{member}")))
}

/// Refuses a call of what nobody knows, or otherwise than it is written.
fn check_call(call: &CallExpr) -> Result<(), Invalid> {
    let name = call.func_name.as_str();
    // Operators have the parts that the language's own grammar gives them.
    if QUESTIONS.contains(&name) || RECKONING.contains(&name) {
        return Ok(());
    }
    let Some(example) = written(name) else {
        return Err(if ENDLESS.contains(&name) { may_not_end(name) } else { unknown_name(name) });
    };
    let fits = match (name, &call.target, call.args.len()) {
        ("size", None, 1) | ("size", Some(_), 0) => true,
        ("size", None | Some(_), _) => false,
        (_, target, count) => target.is_some() && count == 1,
    };
    if fits {
        return Ok(());
    }
    Err(malformed(
        &format!("`{name}` is written as in `{example}`"),
        &format!("“{name}”的写法如 `{example}`"),
    ))
}

/// How a function is written; nothing when there is no such function.
fn written(name: &str) -> Option<&'static str> {
    FUNCTIONS.iter().find(|(known, _)| *known == name).map(|(_, example)| *example)
}

fn malformed(message: &str, chinese: &str) -> Invalid {
    Invalid::new("condition_malformed", format!("the condition cannot be read: {message}"))
        .in_chinese(format!("无法解析条件：{chinese}"))
}

fn strange() -> Invalid {
    malformed(
        "expected texts, numbers, true, false, null and lists of them",
        "只能使用文字、数字、true、false、null 及其列表",
    )
}

fn too_complex() -> Invalid {
    let message = format!(
        "expected at most {MOST_PIECES} words and signs, and {MOST_BRACKETS} brackets or choices inside each other"
    );
    Invalid::new("condition_too_complex", message)
        .in_chinese(format!("最多 {MOST_PIECES} 个词和符号，括号与选择最多嵌套 {MOST_BRACKETS} 层"))
}

fn may_not_end(name: &str) -> Invalid {
    let message = format!("`{name}` may take without end; compare with `in` or `contains` instead");
    Invalid::new("condition_may_not_end", message)
        .in_chinese(format!("“{name}”可能无法结束，请改用 `in` 或 `contains` 比较"))
}

fn unknown_name(name: &str) -> Invalid {
    let facts = ROOTS.iter().flat_map(|root| {
        let members = root.members.unwrap_or(&["…"]);
        members.iter().map(|member| format!("{}.{member}", root.name))
    });
    let known: Vec<_> = facts.chain(FUNCTIONS.map(|(name, _)| name.to_owned())).collect();
    let listed = known.join(", ");
    let name: String = name.chars().filter(|c| !c.is_control()).collect();
    let message = format!("nobody knows `{name}`; known are: {listed}");
    Invalid::new("condition_unknown_name", message)
        .in_chinese(format!("未知名称“{name}”；可用的有：{listed}"))
        .allowing(known)
}
