//! URL and path templates in JSON and in the JSON Schema.

use crate::json::text_type;

use super::{PathTemplate, UrlTemplate};

text_type!(
    UrlTemplate,
    read: |text| Self::parse(text),
    show: |own| own.template.source(),
    inline: false,
    schema: {
        "type": "string",
        "description": "A URL with placeholders. A placeholder in the host gives one label; the host keeps two literal labels at its end, or `allowed_hosts` decides.",
        "examples": ["https://{{subdomain}}.example.com/api", "{{instance_url}}"]
    }
);

text_type!(
    PathTemplate,
    read: |text| Self::parse(text),
    show: |own| own.template.source(),
    inline: false,
    schema: {
        "type": "string",
        "description": "A path below the base URL, with placeholders, which are percent-encoded; may carry a query.",
        "examples": ["/contacts/{{id}}", "/search?q={{query.q}}"]
    }
);
