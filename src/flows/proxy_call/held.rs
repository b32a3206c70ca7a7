//! An answer that is looked into: read within its limits, decoded, and as JSON where it is XML.

use std::borrow::Cow;

use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;

use crate::error::{Code, Failure};
use crate::flows::base::body;
use crate::flows::base::memory::Room;
use crate::flows::base::memory::built::{Unbuilt, built_bytes, parse_exact};
use crate::flows::base::within::within;
use crate::flows::proxy_call::Work;
use crate::json::{self, Exact, Path};
use crate::media::charset::{self, Charset};
use crate::media::coding;
use crate::ports::{Body, Outside, SendError, Storage};
use crate::proxy::reply::{Kind, ReplyError};
use crate::proxy::xml;
use crate::settings::EXPRESSION_VALUES;

/// How an answer is read.
#[derive(Clone, Copy)]
pub(in crate::flows) struct Reading<'r> {
    /// What it is said to be.
    pub(in crate::flows) kind: Kind,
    /// Where its list is: in XML a single element is one, too.
    pub(in crate::flows) list: Option<&'r Path>,
    /// What is wanted of it.
    pub(in crate::flows) wanted: Wanted,
}

/// What is wanted of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::flows) enum Wanted {
    /// What it is said to be. Nothing else will do.
    Value,
    /// That, or at least its words.
    Words,
}

/// An answer in memory, and the room it takes there until it is passed on.
pub(in crate::flows) struct Held {
    /// What is looked into and cut: the answer's text, or its JSON where it is XML.
    pub(in crate::flows) text: String,
    /// What `text` is now: never XML.
    pub(in crate::flows) kind: Kind,
    /// What came, where `text` is something else.
    original: Option<(Bytes, Charset)>,
    pub(in crate::flows) room: Room,
}

/// Why there is no text to look into.
pub(in crate::flows) enum NotText {
    /// It is not what it should be; but it can be passed on.
    Bytes(Bytes, ReplyError),
    /// It could not be read at all.
    Failed(Failure),
}

impl<O: Outside, S: Storage> Work<'_, O, S> {
    pub(in crate::flows) async fn held(
        &self,
        headers: &HeaderMap,
        body: Body<O::Stream>,
        reading: Reading<'_>,
    ) -> Result<Held, NotText> {
        if !matches!(body, Body::Empty) && coding::of_answer(headers).is_err() {
            return Err(NotText::Failed(ReplyError::Compressed.into()));
        }
        let mut held = self.nothing();
        let bytes = self.read(headers, body, &held.room).await?;
        let charset = match charset::of(headers, reading.kind, &bytes) {
            Ok(charset) => charset,
            Err(error) => return Err(NotText::Bytes(bytes, error.into())),
        };
        if reading.kind == Kind::Xml {
            return self.held_xml(held, bytes, charset, reading);
        }
        held.kind = reading.kind;
        held.decoded(bytes, charset)
    }

    fn held_xml(
        &self,
        mut held: Held,
        bytes: Bytes,
        charset: Charset,
        reading: Reading<'_>,
    ) -> Result<Held, NotText> {
        let text = match charset.decode(&bytes) {
            Ok(text) => text,
            Err(error) => return Err(NotText::Bytes(bytes.clone(), error.into())),
        };
        if let Cow::Owned(text) = &text {
            held.room.take(text.len())?;
        }
        let tree = self.object.isolate.room();
        tree.take(xml::nodes_at_most(&text) * xml::NODE_BYTES)?;
        let json = match text.trim() {
            "" => Ok(String::new()),
            text => xml::to_json(text, reading.list, held.room.answer_bytes()),
        };
        match json {
            Ok(json) => {
                held.room.take(json.len())?;
                held.text = json;
            }
            Err(error) if reading.wanted == Wanted::Value => {
                return Err(NotText::Bytes(bytes.clone(), error.into()));
            }
            Err(_) => {
                drop(text);
                held.kind = Kind::Text;
                return held.decoded(bytes, charset);
            }
        }
        drop(text);
        held.original = Some((bytes, charset));
        Ok(held)
    }

    async fn read(
        &self,
        headers: &HeaderMap,
        body: Body<O::Stream>,
        room: &Room,
    ) -> Result<Bytes, Failure> {
        let wait = self.deadline.since(self.object.outside.now());
        let read = within(
            &self.object.outside,
            wait,
            body::read_answer(headers, body, room),
        )
        .await;
        read.unwrap_or_else(|| Err(SendError::Timeout.into()))
    }

    pub(in crate::flows) fn nothing(&self) -> Held {
        Held {
            text: String::new(),
            kind: Kind::Json,
            original: None,
            room: self.object.isolate.room(),
        }
    }
}

impl Held {
    fn decoded(mut self, bytes: Bytes, charset: Charset) -> Result<Self, NotText> {
        let mark = bytes.starts_with("\u{feff}".as_bytes());
        if charset == Charset::Utf8 && !mark {
            let text = String::from_utf8(bytes.into());
            self.text = text.map_err(|error| {
                let error_bytes = Bytes::from(error.into_bytes());
                NotText::Bytes(error_bytes, charset::CharsetError::Broken("UTF-8").into())
            })?;
            return Ok(self);
        }
        let text = charset.decode(&bytes).map(Cow::into_owned);
        match text {
            Ok(text) => {
                self.room.take(text.len())?;
                self.text = text;
                self.original = Some((bytes, charset));
                Ok(self)
            }
            Err(error) => Err(NotText::Bytes(bytes, error.into())),
        }
    }

    /// What expressions see of an answer: the fields of a form, as of a webhook; else its value.
    pub(in crate::flows) fn seen(&mut self) -> Result<Value, Failure> {
        if self.kind != Kind::Form {
            return self.value();
        }
        let fields = json::count_fields(self.text.as_bytes());
        if fields > EXPRESSION_VALUES {
            return Err(too_many(EXPRESSION_VALUES));
        }
        self.room.take(built_bytes(fields, self.text.len()))?;
        let pairs = form_urlencoded::parse(self.text.as_bytes());
        Ok(json::grouped(pairs))
    }

    /// It as a value: JSON, or the text itself.
    pub(in crate::flows) fn value(&mut self) -> Result<Value, Failure> {
        Ok(self.exact()?.plain().into_owned())
    }

    /// The same with each number as it was written.
    pub(in crate::flows) fn exact(&mut self) -> Result<Exact, Failure> {
        let mut text = Cow::Borrowed(self.text.as_str());
        if json::count_values(text.as_bytes()).is_err() {
            self.room.take(text.len())?;
            text = Cow::Owned(json::mend(&text));
        }
        match parse_exact(text.as_bytes(), EXPRESSION_VALUES, &self.room) {
            Ok(value) => Ok(value),
            Err(Unbuilt::NotJson(_)) => Ok(Value::String(self.text.clone()).into()),
            Err(Unbuilt::NoRoom(failure)) => Err(failure),
            Err(Unbuilt::TooMany(most)) => Err(too_many(most)),
        }
    }

    /// The provider's own words, to be told as such.
    pub(in crate::flows) fn take_words(&mut self) -> String {
        let text = std::mem::take(&mut self.text);
        let Some((bytes, charset)) = self.original.take() else {
            return text;
        };
        charset.decode(&bytes).map_or(text, Cow::into_owned)
    }

    /// What came, byte for byte.
    pub(in crate::flows) fn into_bytes(self) -> Bytes {
        match self.original {
            Some((bytes, _)) => bytes,
            None => self.text.into(),
        }
    }
}

fn too_many(most: usize) -> Failure {
    let words = format!(
        "The provider's answer has more than {most} values, too many for the integration's expressions."
    );
    Failure::new(Code::AnswerTooLarge, words)
}

impl From<Failure> for NotText {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<NotText> for Failure {
    fn from(reason: NotText) -> Self {
        match reason {
            NotText::Failed(failure) => failure,
            NotText::Bytes(_, error) => error.into(),
        }
    }
}
