//! Which variables of an expression can hold something of another one. One traversal finds what is bound to what, so that its
//! work grows with the source alone, even where bindings nest deeply.

use std::collections::{BTreeMap, BTreeSet};

use jsonata_core::ast::{AstNode, BinaryOp};

use super::flow::{ABOUT, decides, filters, sources};

/// Variables in a row, each bound to the one before, that are followed; after a longer chain everything flows.
const LONGEST_CHAIN: usize = 64;

/// The variables whose values hold something of it, and it; `None` where that is too long to follow.
pub(super) fn bound(node: &AstNode, variable: &str) -> Option<BTreeSet<String>> {
    let mut links = Links::default();
    links.add(node, None);
    let mut bound = BTreeSet::from([variable.to_owned()]);
    let mut last = vec![variable];
    for _ in 0..=LONGEST_CHAIN {
        let mut next = Vec::new();
        for name in last.iter().flat_map(|name| links.of(name)) {
            if bound.insert(name.to_owned()) {
                next.push(name);
            }
        }
        if next.is_empty() {
            return Some(bound);
        }
        last = next;
    }
    None
}

/// By each variable those whose values can hold its value.
#[derive(Default)]
struct Links<'n>(BTreeMap<&'n str, BTreeSet<&'n str>>);

impl<'n> Links<'n> {
    fn of(&self, name: &str) -> impl Iterator<Item = &'n str> {
        self.0.get(name).into_iter().flatten().copied()
    }

    fn link(&mut self, from: &'n str, to: Option<&'n str>) {
        if let Some(to) = to {
            self.0.entry(from).or_default().insert(to);
        }
    }

    /// `to` is the variable whose value a part can be in.
    fn add(&mut self, node: &'n AstNode, to: Option<&'n str>) {
        for filter in filters(node) {
            self.add(filter, None);
        }
        match node {
            AstNode::Variable(name) => self.link(name, to),
            AstNode::Binary { op, lhs, rhs } => self.add_binary(*op, lhs, rhs, to),
            AstNode::Function { name, args, .. } => {
                let to = to.filter(|_| !ABOUT.contains(&name.as_str()));
                self.link(name, to);
                self.add_all(args, to);
            }
            AstNode::Conditional {
                condition,
                then_branch,
                else_branch,
            } => {
                self.add(condition, None);
                self.add(then_branch, to);
                self.add_all(else_branch.as_deref(), to);
            }
            AstNode::Sort { input, terms } => {
                self.add(input, to);
                self.add_all(terms.iter().map(|(term, _)| term), None);
            }
            node => self.add_all(sources(node), to),
        }
    }

    fn add_all(&mut self, nodes: impl IntoIterator<Item = &'n AstNode>, to: Option<&'n str>) {
        for node in nodes {
            self.add(node, to);
        }
    }

    fn add_binary(
        &mut self,
        op: BinaryOp,
        lhs: &'n AstNode,
        rhs: &'n AstNode,
        to: Option<&'n str>,
    ) {
        let to = to.filter(|_| !decides(op));
        if let (BinaryOp::ColonEqual, AstNode::Variable(name)) = (op, lhs) {
            // What a binding hands on it hands on by its name.
            self.link(name, to);
            self.add(rhs, Some(name));
        } else {
            self.add(lhs, to);
            self.add(rhs, to);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::limits::FOLLOWING_A_BYTE;
    use super::LONGEST_CHAIN;
    use crate::expression::Expression;
    use crate::expression::effort::within;

    fn has_entries(source: &str) -> bool {
        let expression = Expression::parse(source).unwrap();
        expression.context_variable().entries.is_some()
    }

    #[test]
    fn a_chain_is_followed_up_to_its_bound() {
        let chain = |links: usize| {
            let links = (1..links).map(|n| format!("$a{n} := $a{}; ", n - 1));
            let links: String = links.collect();
            format!("( $a0 := $context; {links}{{ \"a\": 1 }} )")
        };
        assert!(has_entries(&chain(LONGEST_CHAIN)));
        assert!(!has_entries(&chain(LONGEST_CHAIN + 1)));
    }

    #[test]
    fn bindings_in_one_another_hand_on_what_is_innermost() {
        for (source, flows) in [
            ("( $a := ($b := ($c := $context.x)); { \"k\": $a } )", true),
            ("( $a := ($b := ($c := $context.x)); { \"k\": $b } )", true),
            (
                "( $a := ($b := 1; $c := $context.x; 2); { \"k\": $a } )",
                true,
            ),
            ("( $a := ($c := $context.x) = 1; { \"k\": $a } )", false),
            ("( $a := ($c := $context.x) = 1; { \"k\": $c } )", true),
            ("( $a := b[$c := $context.x]; { \"k\": $a } )", false),
            ("( $a := b[$c := $context.x]; { \"k\": $c } )", true),
            ("( $a := 1; $b := $context.x; { \"k\": $a } )", false),
        ] {
            let expression = Expression::parse(source).unwrap();
            let entries = expression.context_variable().entries.clone().unwrap();
            assert_eq!(entries["k"], flows, "{source}");
        }
    }

    /// An earlier version traversed each binding again in every round.
    #[test]
    fn the_work_does_not_grow_with_the_depth_of_bindings() {
        let deep = format!("{}1{}", "($a:=".repeat(90), ")".repeat(90));
        let chain: Vec<String> = (0..6).map(|n| format!("$b{n}:=$b{}; ", n + 1)).collect();
        let chain = chain.concat();
        let source = format!(
            "({chain}$b6:=$context; {}{{\"k\": 1}})",
            format!("{deep}; ").repeat(29)
        );
        let expression = Expression::parse(&source).unwrap();
        let suffice = |steps: u64| within(steps, || expression.context_variable().flows).1;
        let all = FOLLOWING_A_BYTE * source.len() as u64;
        assert!(!suffice(all));
        assert!(suffice(all + 1));
        // It is found once.
        assert!(suffice(1));
    }
}
