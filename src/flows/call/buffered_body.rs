//! A buffered answer: read within its limits, decoded, and converted to JSON if it is XML.

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

/// How to read an answer.
#[derive(Clone, Copy)]
pub(in crate::flows) struct Reading<'r> {
    /// The media kind that the answer declares.
    pub(in crate::flows) kind: MediaKind,
    /// The path of its list. In XML a single element at this path is a list, too.
    pub(in crate::flows) list: Option<&'r Path>,
    /// What the reader needs.
    pub(in crate::flows) wanted: BodyNeed,
}

/// What the reader of an answer needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::flows) enum BodyNeed {
    /// A value of the declared kind. Anything else is an error.
    Value,
    /// Such a value, or else the text as it is.
    Text,
}

/// An answer in memory, with the memory that it takes until it is passed on.
pub(in crate::flows) struct BufferedBody {
    /// The text that expressions read and that is cut: the answer's text, or JSON if the answer is XML.
    pub(in crate::flows) text: String,
    /// The kind of `text`, which is never XML.
    pub(in crate::flows) kind: MediaKind,
    /// The received bytes, if they differ from `text`.
    original: Option<(Bytes, Charset)>,
    pub(in crate::flows) room: Room,
}

/// Why an answer has no text to read.
pub(in crate::flows) enum TextError {
    /// The answer is not of the declared kind, but its bytes can be passed on.
    Bytes(Bytes, ReplyError),
    /// The answer could not be read.
    Failed(Failure),
}

impl BufferedBody {
    /// Buffers the bytes of an answer. XML is read with the limits of `tree`.
    pub(in crate::flows) fn of(
        read: (Bytes, Room),
        headers: &HeaderMap,
        reading: Reading<'_>,
        tree: &Room,
    ) -> Result<Self, TextError> {
        let (bytes, room) = read;
        let charset = match charset::of(headers, reading.kind, &bytes) {
            Ok(charset) => charset,
            Err(error) => return Err(TextError::Bytes(bytes, error.into())),
        };
        let mut buffered = Self::empty(room);
        if reading.kind == MediaKind::Xml {
            return buffered.read_xml(bytes, charset, reading, tree);
        }
        buffered.kind = reading.kind;
        buffered.decoded(bytes, charset)
    }

    /// An empty body.
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
    ) -> Result<Self, TextError> {
        let text = match charset.decode(&bytes) {
            Ok(text) => text,
            Err(error) => return Err(TextError::Bytes(bytes.clone(), error.into())),
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
            Err(error) if reading.wanted == BodyNeed::Value => {
                return Err(TextError::Bytes(bytes.clone(), error.into()));
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

    fn decoded(mut self, bytes: Bytes, charset: Charset) -> Result<Self, TextError> {
        let mark = bytes.starts_with("\u{feff}".as_bytes());
        if charset == Charset::Utf8 && !mark {
            let text = String::from_utf8(bytes.into());
            self.text = text.map_err(|error| {
                let error_bytes = Bytes::from(error.into_bytes());
                TextError::Bytes(error_bytes, charset::CharsetError::Broken("UTF-8").into())
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
            Err(error) => Err(TextError::Bytes(bytes, error.into())),
        }
    }

    /// The value that expressions read: the fields of a form, as for a webhook; otherwise the parsed answer.
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

    /// The answer as a value: JSON, or the text itself.
    pub(in crate::flows) fn value(&mut self) -> Result<Value, Failure> {
        Ok(self.exact()?.plain().into_owned())
    }

    /// The same, with each number as the provider wrote it.
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

    /// Takes the provider's own text, for an error.
    pub(in crate::flows) fn take_text(&mut self) -> String {
        let text = std::mem::take(&mut self.text);
        let Some((bytes, charset)) = self.original.take() else {
            return text;
        };
        charset.decode(&bytes).map_or(text, Cow::into_owned)
    }

    /// The received bytes.
    pub(in crate::flows) fn into_bytes(self) -> Bytes {
        match self.original {
            Some((bytes, _)) => bytes,
            None => self.text.into(),
        }
    }
}

fn too_many(most: usize) -> Failure {
    let message = format!(
        "The provider's answer has more than {most} values, too many for the integration's expressions."
    );
    Failure::new(Code::AnswerTooLarge, message)
}

impl From<Failure> for TextError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<TextError> for Failure {
    fn from(reason: TextError) -> Self {
        match reason {
            TextError::Failed(failure) => failure,
            TextError::Bytes(_, error) => error.into(),
        }
    }
}
