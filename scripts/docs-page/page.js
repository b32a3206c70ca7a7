// Renders /openapi.json. A pasted token stays in the memory of this page.

/** What screen readers go by: landmarks around what has none, and the heading between the title and the groups of calls. */
function landmarks({ React }) {
  const element = React.createElement;
  const region = (label) => (Original) => (props) => element("section", { "aria-label": label }, element(Original, props));
  return {
    wrapComponents: {
      InfoContainer: region("About the API"),
      SchemesContainer: region("Tokens"),
      FilterContainer: region("Filter"),
      operations: (Original) => (props) => element(React.Fragment, null, element("h2", { className: "calls" }, "Calls"), element(Original, props)),
    },
  };
}

if (isSecureContext) {
  SwaggerUIBundle({ url: "/openapi.json", dom_id: "#api", plugins: [landmarks], deepLinking: true, docExpansion: "none", defaultModelsExpandDepth: 0, displayRequestDuration: true, syntaxHighlight: false, filter: true });
} else {
  document.getElementById("refused").hidden = false;
}
