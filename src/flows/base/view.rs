//! Views: the fields of a record that a response shows.

/// Declares a type with the listed fields of a record, and the conversion into it. `hides` lists the other fields. A
/// field that is neither listed nor hidden does not compile, so that a new one is not shown by accident.
macro_rules! view {
    (
        $(#[$about:meta])*
        $name:ident of $record:ident {
            $( $(#[$about_field:meta])* $field:ident: $type:ty, )*
        } hides { $($hidden:tt)* }
    ) => {
        #[derive(Debug, Clone, PartialEq, serde::Serialize, schemars::JsonSchema)]
        $(#[$about])*
        pub struct $name {
            $( $(#[$about_field])* pub $field: $type, )*
        }

        impl From<$record> for $name {
            fn from(record: $record) -> Self {
                let $record { $($field,)* $($hidden)* } = record;
                Self { $($field,)* }
            }
        }
    };
}

pub(crate) use view;
