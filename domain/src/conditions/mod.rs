//! Conditions: when something is meant for somebody, in the Common Expression Language (<https://cel.dev>).

mod facts;
mod grammar;
mod numbers;
#[cfg(test)]
mod tests;
mod trial;

pub use facts::{
    ConditionFacts, CustomerFacts, OrderFacts, PlaceFacts, ProductFacts, WeatherFacts,
};
pub use trial::{ConditionOutcome, ConditionTrial};

use crate::{
    invalid::Invalid,
    refusal::{Kind, Refusal, Rule},
    text::Bilingual,
};
use cel::{Context, Env, Value, common::ast::IdedExpr};
use facts::Told;
use grammar::FactName;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{
    borrow::Cow,
    collections::BTreeSet,
    fmt,
    ops::Deref,
    str::FromStr,
    sync::{Arc, LazyLock},
};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type},
};

/// The longest condition, in characters: a few comparisons, and still read at a glance.
pub const MOST_CHARACTERS: usize = 500;

/// The operators and functions of the language's standard. There are no macros, so that whatever loops stays a
/// call of an unknown function and is refused when the condition is saved.
static LANGUAGE: LazyLock<Arc<Env>> =
    LazyLock::new(|| Arc::new(Env::default().with_optional_support(false).with_stdlib()));

/// A condition such as `customer.tier in ["gold", "platinum"] && order.total_minor >= 100000`.
///
/// It was read and bounded when it was made: it names known facts only, nothing in it repeats anything, and so it
/// always comes to an end. A fact that is not known is null. Numbers act alike, whole or not: `7 / 2` is 3.5.
#[derive(Clone)]
pub struct Condition {
    text: String,
    read: Arc<IdedExpr>,
    names: Arc<BTreeSet<FactName>>,
}

impl Condition {
    /// Reads a condition.
    ///
    /// # Errors
    ///
    /// `blank` or `too_long` for its length, `condition_malformed` when it cannot be read, calls a function otherwise
    /// than it is written, or does not ask a question of yes and no, `condition_too_complex` when it nests too deep or has too many parts,
    /// `condition_may_not_end` for what repeats (`all`, `exists`, `map`, `filter`) and for patterns (`matches`),
    /// and `condition_unknown_name` for facts and functions that nobody knows.
    pub fn new(text: impl Into<String>) -> Result<Self, Invalid> {
        let text = text.into();
        grammar::look_over(&text)?;
        let parser = LANGUAGE.parser().max_recursion_depth(grammar::PARSER_DEPTH);
        let read = parser.parse(&text).map_err(|errors| grammar::cannot_read(&errors))?;
        let names = grammar::walk(&read)?;
        let read = Arc::new(numbers::alike(read));
        Ok(Self { text, read, names: Arc::new(names) })
    }

    /// Whether the condition holds.
    ///
    /// # Errors
    ///
    /// [`CONDITION_UNDECIDED`] when it compares what cannot be compared, which is often a fact that is not known;
    /// [`CONDITION_NOT_BOOLEAN`] when it answers something else than yes or no.
    pub fn holds(&self, facts: &ConditionFacts) -> Result<bool, Refusal> {
        let told = Told::from(facts);
        let mut context = Context::with_env(Arc::clone(&LANGUAGE));
        if numbers::teach(&mut context).is_err() {
            return Err(self.undecided(facts));
        }
        for root in grammar::ROOTS {
            let known = told.of_root(root.name, &self.names);
            let Ok(value) = cel::to_value(&known) else { return Err(self.undecided(facts)) };
            context.add_variable_from_value(root.name, value);
        }
        match Value::resolve(&self.read, &context) {
            Ok(Value::Bool(answer)) => Ok(answer),
            Ok(_) => Err(Refusal::new(&CONDITION_NOT_BOOLEAN)),
            Err(_) => Err(self.undecided(facts)),
        }
    }

    /// The facts it asks for that are not known, such as `weather.temp_c10`.
    pub fn missing(&self, facts: &ConditionFacts) -> Vec<String> {
        let told = Told::from(facts);
        let unknown = |name: &&FactName| told.find(name).is_none();
        self.names.iter().filter(unknown).map(ToString::to_string).collect()
    }

    /// The keys of the steps whose findings it asks for.
    pub fn steps(&self) -> impl Iterator<Item = &str> {
        let of_steps = self.names.iter().filter(|name| name.root == "step");
        of_steps.map(|name| name.member.as_str())
    }

    fn undecided(&self, facts: &ConditionFacts) -> Refusal {
        Refusal::new(&CONDITION_UNDECIDED).with("missing", self.missing(facts))
    }
}

/// A condition compared what cannot be compared.
pub static CONDITION_UNDECIDED: Rule = Rule {
    code: "condition_undecided",
    kind: Kind::Unfit,
    title: Bilingual { en: "The condition cannot be decided", zh: "条件无法判定" },
    detail: Bilingual {
        en: "The condition compares what cannot be compared. It asks for these facts, which are not known: [{missing}].",
        zh: "条件比较了无法比较的内容。其中引用但未知的信息：[{missing}]。",
    },
    advice: Bilingual {
        en: "Ask whether a fact is known before comparing it: `weather.temp_c10 != null && weather.temp_c10 > 300`.",
        zh: "比较之前先判断信息是否已知：`weather.temp_c10 != null && weather.temp_c10 > 300`。",
    },
};

/// A condition answered something else than yes or no.
pub static CONDITION_NOT_BOOLEAN: Rule = Rule {
    code: "condition_not_boolean",
    kind: Kind::Unfit,
    title: Bilingual {
        en: "The condition does not answer yes or no",
        zh: "条件的结果不是“是”或“否”",
    },
    detail: Bilingual {
        en: "The condition answers a text, a number or null instead of true or false.",
        zh: "条件的结果是文字、数字或空值，而不是 true 或 false。",
    },
    advice: Bilingual {
        en: "Compare the fact with something, as in `event.grade == \"a\"`.",
        zh: "请将该信息与某个值比较，例如 `event.grade == \"a\"`。",
    },
};

/// The rules of this file.
pub static RULES: &[&Rule] = &[&CONDITION_UNDECIDED, &CONDITION_NOT_BOOLEAN];

impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Condition {}

impl Deref for Condition {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Condition").field(&self.text).finish()
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Condition {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::new(text)
    }
}

impl Serialize for Condition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl PartialSchema for Condition {
    fn schema() -> RefOr<Schema> {
        let description = "A condition in the Common Expression Language (<https://cel.dev>), without what \
            repeats: comparisons (`==`, `!=`, `<`, `<=`, `>`, `>=`, `in`), `&&`, `||`, `!`, `? :`, `+`, `-`, `*`, \
            `/`, lists, `size`, `contains`, `startsWith` and `endsWith`. Numbers act alike, whole or not: `7 / 2` is \
            3.5. It may ask for `customer.kind`, \
            `customer.lifecycle`, `customer.locale`, `customer.tier`, `place.region`, `place.site`, \
            `weather.temp_c10`, `order.currency`, `order.line_count`, `order.total_minor`, `product.category`, \
            `product.sku`, any `event.…` and any `step.…`. A fact that is not known is null.";
        ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .max_length(Some(MOST_CHARACTERS))
            .description(Some(description))
            .examples(["customer.tier == \"gold\" && order.total_minor >= 100000"])
            .into()
    }
}

impl ToSchema for Condition {
    fn name() -> Cow<'static, str> {
        "Condition".into()
    }
}
