//! An answer that is looked into: read within its limits, decoded, and as JSON where it is XML.

use std::borrow::Cow;

use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;

use crate::error::{Code, Failure};
use crate::flows::base::memory::Room;
use crate::flows::base::memory::values::{ValuesError, bytes_of_values, parse_exact};
use crate::json::{self, Exact, Path};
use crate::media::charset::{self, Charset};
use crate::proxy::reply::{MediaKind, ReplyError};
use crate::proxy::xml;
use crate::settings::EXPRESSION_VALUES;

/// How an answer is read.
#[derive(Clone, Copy)]
pub(in crate::flows) struct Reading<'r> {
    /// What it is said to be.
    pub(in crate::flows) kind: MediaKind,
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
pub(in crate::flows) struct BufferedBody {
    /// What is looked into and cut: the answer's text, or its JSON where it is XML.
    pub(in crate::flows) text: String,
    /// What `text` is now: never XML.
    pub(in crate::flows) kind: MediaKind,
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

impl BufferedBody {
    /// What was read of an answer. `tree` is what XML is read with.
    pub(in crate::flows) fn of(
        read: (Bytes, Room),
        headers: &HeaderMap,
        reading: Reading<'_>,
        tree: &Room,
    ) -> Result<Self, NotText> {
        let (bytes, room) = read;
        let charset = match charset::of(headers, reading.kind, &bytes) {
            Ok(charset) => charset,
            Err(error) => return Err(NotText::Bytes(bytes, error.into())),
        };
        let mut buffered = Self::empty(room);
        if reading.kind == MediaKind::Xml {
            return buffered.read_xml(bytes, charset, reading, tree);
        }
        buffered.kind = reading.kind;
        buffered.decoded(bytes, charset)
    }

    /// Nothing was read.
    pub(in crate::flows) fn empty(room: Room) -> Self {
        Self {
            text: String::new(),
            kind: MediaKind::Json,
            original: None,
            room,
        }
    }

    fn read_xml(
        mut self,
        bytes: Bytes,
        charset: Charset,
        reading: Reading<'_>,
        tree: &Room,
    ) -> Result<Self, NotText> {
        let text = match charset.decode(&bytes) {
            Ok(text) => text,
            Err(error) => return Err(NotText::Bytes(bytes.clone(), error.into())),
        };
        if let Cow::Owned(text) = &text {
            self.room.take(text.len())?;
        }
        tree.take(xml::nodes_at_most(&text) * xml::NODE_BYTES)?;
        let json = match text.trim() {
            "" => Ok(String::new()),
            text => xml::to_json(text, reading.list, self.room.answer_bytes()),
        };
        match json {
            Ok(json) => {
                self.room.take(json.len())?;
                self.text = json;
            }
            Err(error) if reading.wanted == Wanted::Value => {
                return Err(NotText::Bytes(bytes.clone(), error.into()));
            }
            Err(_) => {
                drop(text);
                self.kind = MediaKind::Text;
                return self.decoded(bytes, charset);
            }
        }
        drop(text);
        self.original = Some((bytes, charset));
        Ok(self)
    }

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
        if self.kind != MediaKind::Form {
            return self.value();
        }
        let fields = json::count_fields(self.text.as_bytes());
        if fields > EXPRESSION_VALUES {
            return Err(too_many(EXPRESSION_VALUES));
        }
        self.room.take(bytes_of_values(fields, self.text.len()))?;
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
            Err(ValuesError::NotJson(_)) => Ok(Value::String(self.text.clone()).into()),
            Err(ValuesError::NoRoom(failure)) => Err(failure),
            Err(ValuesError::TooMany(most)) => Err(too_many(most)),
        }
    }

    /// The provider's own words, for an error.
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
