mod writing;

use serde_json::{Value, json};

use super::*;
use crate::json::Path;
use crate::proxy::body::BodyError;

const LIMIT: usize = 8 * 1024 * 1024;

fn read(text: &str) -> Result<Value, XmlError> {
    to_json(text, None, LIMIT).map(|json| serde_json::from_str(&json).unwrap())
}

fn written(value: &Value) -> Result<String, BodyError> {
    let declared = String::from_utf8(write(value)?).unwrap();
    let start = r#"<?xml version="1.0" encoding="UTF-8"?>"#;
    Ok(declared.strip_prefix(start).unwrap().to_owned())
}

#[test]
fn what_is_written_is_read_as_the_same_and_the_other_way_round() {
    for (xml, json) in [
        ("<a/>", json!({ "a": "" })),
        ("<a>x</a>", json!({ "a": "x" })),
        (r#"<a b="1"/>"#, json!({ "a": { "@b": "1" } })),
        (
            r#"<a b="1">x</a>"#,
            json!({ "a": { "@b": "1", "#text": "x" } }),
        ),
        (
            "<a><b>1</b><c/><d><e>2</e></d></a>",
            json!({ "a": { "b": "1", "c": "", "d": { "e": "2" } } }),
        ),
        (
            "<a><b>1</b><b>2</b><b/></a>",
            json!({ "a": { "b": ["1", "2", ""] } }),
        ),
        (
            r#"<s:Envelope xmlns:s="http://soap/" s:v="&lt;&amp;&quot;&#10;"><s:Body>&lt;b&gt; &amp; é 😀</s:Body></s:Envelope>"#,
            json!({ "s:Envelope": { "@xmlns:s": "http://soap/", "@s:v": "<&\"\n", "s:Body": "<b> & é 😀" } }),
        ),
        ("<a>&#32;&#10;</a>", json!({ "a": " \n" })),
        (
            "<n>12345678901234567890123</n>",
            json!({ "n": "12345678901234567890123" }),
        ),
    ] {
        assert_eq!(read(xml).unwrap(), json, "{xml}");
        assert_eq!(written(&json).unwrap(), xml);
    }
}

#[test]
fn what_a_reader_need_not_know_is_left_out() {
    for (xml, json) in [
        (
            "<?xml version=\"1.0\"?>\n<!-- c --><!DOCTYPE a PUBLIC \"-//x\" \"http://x/y.dtd\">\n<a>\r\n  <b> 1 </b>\r\n  <?p i?>\n</a>\n<!-- d -->",
            json!({ "a": { "b": " 1 " } }),
        ),
        ("<a>\n\t</a>", json!({ "a": "" })),
        ("<a><![CDATA[ ]]></a>", json!({ "a": " " })),
        (
            "<a>x<![CDATA[<b>&amp;]]>&#x41;&lt; &#233;\r\ny<!-- c -->z</a>",
            json!({ "a": "x<b>&amp;A< é\nyz" }),
        ),
        (
            "<a>one <b>two</b> three</a>",
            json!({ "a": { "#text": "one  three", "b": "two" } }),
        ),
        (
            "<a><b/><c/><b>2</b></a>",
            json!({ "a": { "b": ["", "2"], "c": "" } }),
        ),
        (
            "<a x='1' y = \"two\nlines\" ><b\n/></a >",
            json!({ "a": { "@x": "1", "@y": "two lines", "b": "" } }),
        ),
    ] {
        assert_eq!(read(xml), Ok(json), "{xml}");
    }
}

#[test]
fn keys_stand_in_the_order_of_the_document() {
    let json = to_json("<z a='1'><y/><b/><y/><a/></z>", None, LIMIT).unwrap();
    assert_eq!(json, r#"{"z":{"@a":"1","y":["",""],"b":"","a":""}}"#);
}

#[test]
fn what_is_no_document_is_an_error() {
    use XmlError as E;
    for (xml, expected) in [
        ("", E::NotXml),
        ("{}", E::NotXml),
        ("<a>", E::NotXml),
        ("<a></b>", E::NotXml),
        ("</a>", E::NotXml),
        ("<a/><b/>", E::NotXml),
        ("<a/>text", E::NotXml),
        ("text<a/>", E::NotXml),
        ("<a/>&amp;", E::NotXml),
        ("<a/></a>", E::NotXml),
        ("<a b='1' b='2'/>", E::NotXml),
        ("<a b=1/>", E::NotXml),
        ("<a b='<'", E::NotXml),
        ("<!-- c -->", E::NotXml),
        ("<a>&nbsp;</a>", E::Entity),
        ("<a b='&nbsp;'/>", E::Entity),
        ("<a>&#0;</a>", E::Entity),
        ("<a>&#xd800;</a>", E::Entity),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", E::Declarations),
        (
            "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a/>",
            E::Declarations,
        ),
    ] {
        assert_eq!(read(xml), Err(expected), "{xml}");
    }
}

#[test]
fn the_bounds_hold_exactly() {
    let deep = |levels: usize| format!("{}{}", "<a>".repeat(levels), "</a>".repeat(levels));
    assert!(read(&deep(DEPTH)).is_ok(), "and serde_json reads it");
    assert_eq!(read(&deep(DEPTH + 1)), Err(XmlError::TooDeep));
    let wide = |count: usize| to_json(&format!("<r>{}</r>", "<a/>".repeat(count)), None, LIMIT);
    assert!(wide(NODES - 1).is_ok());
    assert_eq!(wide(NODES), Err(XmlError::TooMany));
    let attributes = |count: usize| {
        let all: Vec<String> = (0..count).map(|n| format!("a{n}=''")).collect();
        read(&format!("<a {}/>", all.join(" ")))
    };
    assert!(attributes(ATTRIBUTES).is_ok());
    assert_eq!(attributes(ATTRIBUTES + 1), Err(XmlError::TooMany));
    let json = r#"{"a":"\"\""}"#;
    assert_eq!(to_json("<a>\"\"</a>", None, json.len()).unwrap(), json);
    assert_eq!(
        to_json("<a>\"\"</a>", None, json.len() - 1),
        Err(XmlError::TooLarge)
    );
}

#[test]
fn a_list_is_an_array_whatever_there_is_of_it() {
    let path: Path = "r.items.item".parse().unwrap();
    let list = |xml: &str, path: &Path| {
        let json = to_json(xml, Some(path), LIMIT).unwrap();
        crate::json::cut(&json, path).unwrap().map(str::to_owned)
    };
    for (xml, expected) in [
        (
            "<r><items><item>1</item><item>2</item></items></r>",
            Some(r#"["1","2"]"#),
        ),
        (
            "<r><items><item><b>1</b></item></items></r>",
            Some(r#"[{"b":"1"}]"#),
        ),
        (
            "<r><items><item i='1'/></items></r>",
            Some(r#"[{"@i":"1"}]"#),
        ),
        ("<r><items><item/></items></r>", Some("[]")),
        ("<r><items><item>\n</item></items></r>", Some("[]")),
        ("<r><items/></r>", None),
        ("<r><item>1</item></r>", None),
    ] {
        assert_eq!(list(xml, &path).as_deref(), expected, "{xml}");
    }
    let dotted: Path = "a.b.c".parse().unwrap();
    assert_eq!(list("<a.b><c>1</c></a.b>", &dotted).unwrap(), r#"["1"]"#);
    assert_eq!(list("<a><b.c>1</b.c></a>", &dotted).unwrap(), r#"["1"]"#);
}

/// Time that grows with the square of a document's size would show here.
#[test]
fn hostile_documents_are_read_in_one_go() {
    let names: Vec<String> = (0..200_000).map(|n| format!("<a{n}/>")).collect();
    assert!(to_json(&format!("<r>{}</r>", names.concat()), None, LIMIT).is_ok());
    let pieces = "x&amp;".repeat(140_000);
    assert!(to_json(&format!("<r>{pieces}</r>"), None, LIMIT).is_ok());
}

/// Numbers that look random, the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    fn text(&mut self) -> String {
        let pieces = [
            "a", " ", "<", "&", "\"", "'", ">", "]]>", "&amp;", "é", "😀", "\n", "\t", "\r", "<!--",
        ];
        let length = self.below(5);
        (0..length)
            .map(|_| pieces[usize::try_from(self.below(15)).unwrap()])
            .collect()
    }

    fn name(&mut self) -> String {
        format!("n:{}", self.below(4))
    }

    /// An element as it is read: what has one way to be written has one way to be read.
    fn element(&mut self, depth: u64) -> Value {
        if depth == 0 || self.below(3) == 0 {
            return self.text().into();
        }
        let mut element = serde_json::Map::new();
        for _ in 0..self.below(3) {
            let name = format!("@{}", self.name());
            element.insert(name, self.text().into());
        }
        for _ in 0..self.below(4) {
            let value = match self.below(3) {
                0 => vec![self.element(depth - 1), self.element(depth - 1)].into(),
                _ => self.element(depth - 1),
            };
            element.insert(self.name(), value);
        }
        let text = self.text().trim_ascii().to_owned();
        if !element.is_empty() && !text.is_empty() {
            element.insert("#text".to_owned(), text.clone().into());
        }
        if element.is_empty() {
            return text.into();
        }
        element.into()
    }
}

#[test]
fn whatever_is_written_is_read_as_it_was() {
    let mut dice = Dice(1);
    for _ in 0..3_000 {
        let value = json!({ "root": dice.element(4) });
        let xml = written(&value).unwrap();
        assert_eq!(read(&xml).as_ref(), Ok(&value), "{xml}");
    }
}
