//! JSON for people: the compact form with line feeds and indents put in.
//!
//! serde_json can do so itself, with a second serialiser for each type: some thirty kilobytes of the program.

use serde::Serialize;

/// `value` as JSON that a person can read.
pub(crate) fn spread<T: Serialize>(value: &T) -> serde_json::Result<String> {
    serde_json::to_string(value).map(|compact| indent(&compact))
}

fn indent(compact: &str) -> String {
    let mut spread = String::with_capacity(compact.len() * 2);
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    let line = |spread: &mut String, depth: usize| {
        spread.push('\n');
        spread.extend(std::iter::repeat_n("  ", depth));
    };
    let mut rest = compact.chars().peekable();
    while let Some(character) = rest.next() {
        if in_text {
            in_text = escaped || character != '"';
            escaped = character == '\\' && !escaped;
            spread.push(character);
            continue;
        }
        match character {
            '"' => {
                in_text = true;
                spread.push(character);
            }
            '{' | '[' => {
                spread.push(character);
                if !matches!(rest.peek(), Some('}' | ']')) {
                    depth += 1;
                    line(&mut spread, depth);
                }
            }
            '}' | ']' => {
                if !spread.ends_with(['{', '[']) {
                    depth = depth.saturating_sub(1);
                    line(&mut spread, depth);
                }
                spread.push(character);
            }
            ',' => {
                spread.push(character);
                line(&mut spread, depth);
            }
            ':' => spread.push_str(": "),
            _ => spread.push(character),
        }
    }
    spread
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from)
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..5)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_is_what_serde_json_writes(value in any_json()) {
            prop_assert_eq!(spread(&value).unwrap(), serde_json::to_string_pretty(&value).unwrap());
        }
    }
}
