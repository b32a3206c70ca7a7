//! Keyboard-interactive authentication (RFC 4256): which prompts are answered.

use russh::client::Prompt;

use crate::error::{Failure, Kind, Outcome};

/// The password, as long as it was not the answer to a prompt.
pub struct Answers(Option<String>);

impl Answers {
    pub fn new(password: &str) -> Self {
        Self(Some(password.to_owned()))
    }

    /// The password is the answer to one hidden prompt. Other questions (a one-time code) have no answer here.
    pub fn answer(&mut self, prompts: &[Prompt]) -> Outcome<Vec<String>> {
        let password = match prompts {
            [] => return Ok(Vec::new()),
            [prompt] if !prompt.echo => self.0.take(),
            _ => None,
        };
        match password {
            Some(password) => Ok(vec![password]),
            None => Err(Failure::new(
                Kind::WrongCredentials,
                "The server asks for more than a password, such as a one-time code. That cannot be answered here.",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompt(text: &str, echo: bool) -> Prompt {
        Prompt {
            prompt: text.to_owned(),
            echo,
        }
    }

    fn is_refused(answers: &mut Answers, prompts: &[Prompt]) -> bool {
        let refused = answers.answer(prompts).err();
        refused.is_some_and(|failure| failure.kind == Kind::WrongCredentials)
    }

    #[test]
    fn the_password_answers_one_hidden_prompt_once() {
        let mut answers = Answers::new("secret");
        let hidden = [prompt("Password:", false)];
        assert_eq!(answers.answer(&[]).unwrap(), Vec::<String>::new());
        assert_eq!(answers.answer(&hidden).unwrap(), ["secret"]);
        assert_eq!(answers.answer(&[]).unwrap(), Vec::<String>::new());
        assert!(is_refused(&mut answers, &hidden));
    }

    #[test]
    fn a_prompt_that_would_show_the_password_and_two_prompts_are_not_answered() {
        let mut answers = Answers::new("secret");
        assert!(is_refused(&mut answers, &[prompt("Name:", true)]));
        let two = [prompt("Password:", false), prompt("Code:", false)];
        assert!(is_refused(&mut answers, &two));
        let hidden = [prompt("Password:", false)];
        assert_eq!(answers.answer(&hidden).unwrap(), ["secret"]);
    }
}
