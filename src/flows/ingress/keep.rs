//! A request whose events could not be told, as it is kept: everything an expression may look at.
