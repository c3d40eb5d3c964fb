//! Numbers of conditions. Each of them is a double, so that a reading of 35 compares and computes as one of 35.5 does: the
//! language itself keeps whole numbers and doubles apart, and refuses to add one to the other.

use cel::{
    Context, DeclarationError, ExecutionError,
    common::{
        ast::{CallExpr, Expr, IdedExpr, ListExpr, LiteralValue, operators},
        types::{CelDouble, CelInt},
    },
};
use serde_json::Number;

/// How a size is made a double; a function of the language's standard.
const DOUBLE: &str = "double";

/// What stands for a division. Nobody can write a name that begins so.
const DIVIDED: &str = "@divided";

/// The same expression with every number in it a double: whole ones as they are written, sizes, and what is divided.
/// It goes as deep as the expression, which was bounded before.
pub(super) fn alike(part: IdedExpr) -> IdedExpr {
    let IdedExpr { id, expr } = part;
    let expr = match expr {
        Expr::Literal(LiteralValue::Int(whole)) => {
            Expr::Literal(LiteralValue::Double(as_double(whole)))
        }
        Expr::List(list) => Expr::List(ListExpr {
            elements: list.elements.into_iter().map(alike).collect(),
            ..list
        }),
        Expr::Call(call) => Expr::Call(called(id, call)),
        other @ (Expr::Unspecified
        | Expr::Comprehension(_)
        | Expr::Ident(_)
        | Expr::Literal(_)
        | Expr::Map(_)
        | Expr::Select(_)
        | Expr::Struct(_)) => other,
    };
    IdedExpr { id, expr }
}

fn called(id: u64, call: CallExpr) -> CallExpr {
    let target = call.target.map(|target| Box::new(alike(*target)));
    let args = call.args.into_iter().map(alike).collect();
    match call.func_name.as_str() {
        "size" => {
            let size = Expr::Call(CallExpr { func_name: call.func_name, target, args });
            let args = vec![IdedExpr { id, expr: size }];
            CallExpr { func_name: DOUBLE.to_owned(), target: None, args }
        }
        operators::DIVIDE => CallExpr { func_name: DIVIDED.to_owned(), target, args },
        _ => CallExpr { func_name: call.func_name, target, args },
    }
}

fn as_double(whole: CelInt) -> CelDouble {
    Number::from(whole.into_inner()).as_f64().unwrap_or_default().into()
}

/// Teaches the language to divide, so that nothing is divided by 0.
///
/// # Errors
///
/// When the standard of the language has a function of that name.
pub(super) fn teach(context: &mut Context<'_, '_>) -> Result<(), DeclarationError> {
    context.add_function(DIVIDED, divided)
}

/// The language's own division of doubles answers 1 / 0 with a number beyond all others, which then is more than
/// anything it is compared with.
#[expect(clippy::float_arithmetic, reason = "conditions compare measurements, not money")]
fn divided(dividend: f64, divisor: f64) -> Result<f64, ExecutionError> {
    let quotient = dividend / divisor;
    if quotient.is_finite() {
        return Ok(quotient);
    }
    Err(ExecutionError::DivisionByZero(dividend.into()))
}
