//! A request whose events could not be told, as it is kept: everything an expression may look at.

use crate::flows::messages::dead_letter::{Again, Kept};
use bytes::Bytes;
use data_encoding::BASE64;
use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderMap, HeaderName, Method};
use serde::{Deserialize, Serialize};

use crate::header_text;
use crate::webhook::Request;
