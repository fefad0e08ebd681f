// The API's documentation: Swagger UI on the document that the server makes of itself.

// Swagger UI hands over markup as text, what it made of Markdown sanitised by itself (DOMPurify).
window.trustedTypes?.createPolicy("default", { createHTML: (markup) => markup });

const place = document.getElementById("docs");

window.SwaggerUIBundle({
  domNode: place,
  url: place.dataset.schema,
  deepLinking: true,
  validatorUrl: null,
});
