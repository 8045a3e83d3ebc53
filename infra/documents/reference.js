// Runs in the browser, after Scalar in the same file: shows the API reference.
// Settings: https://scalar.com/products/api-references/configuration

/** The exported file of the last response, if that has one; the link to it is beside the response. */
let exportedFile;
const downloadLinks = new Set();

/**
 * Component that Scalar shows with each response. A link, unlike a call from the page, needs neither
 * CORS of the file store nor its origin in the content security policy.
 */
const downloadLink = {
  // An empty text, of which `mounted` knows the place.
  render: () => '',
  mounted() {
    this.link = document.createElement('a');
    this.link.className = 'download-link';
    this.$el.after(this.link);
    downloadLinks.add(this.link);
    showFile(this.link);
  },
  unmounted() {
    downloadLinks.delete(this.link);
    this.link.remove();
  },
};

function showFile(link) {
  link.hidden = !exportedFile;
  if (!exportedFile) return;
  link.href = exportedFile.url;
  link.textContent = `Download ${exportedFile.filename}`;
}

async function rememberFile({ response }) {
  const isJson = response.headers.get('content-type')?.startsWith('application/json');
  const { url, filename } = (isJson && (await response.json())) || {};
  exportedFile = url && filename ? { url, filename } : undefined;
  for (const link of downloadLinks) showFile(link);
}

const exportsPlugin = () => ({
  name: 'exports',
  extensions: [],
  apiClientPlugins: [
    {
      hooks: { responseReceived: rememberFile },
      components: { response: { component: downloadLink } },
    },
  ],
});

const CSS = `
.download-link { display: block; padding: 12px; color: var(--scalar-color-accent); }
.download-link[hidden] { display: none; }
/* A guide has no operations beside it. */
.section-column:empty { display: none; }
.section-column:has(+ .section-column:empty) { max-width: 760px; }
/* Wide tables scroll by themselves, and their words stay whole. */
.scalar-app .markdown table { display: block; overflow-x: auto; table-layout: auto; }
.scalar-app .markdown :is(td, th, td code) { word-break: normal; overflow-wrap: normal; }
.scalar-app .markdown td:first-child code { white-space: nowrap; }
.scalar-app .markdown td:last-child { min-width: 200px; }
`;

/** Returns a token of the local stack's sample merchant; a deployment has no path that gives one. */
async function sampleToken() {
  const path = document.querySelector('meta[name="token-path"]')?.content;
  return path && (await (await fetch(path)).json()).token;
}

/**
 * Returns the OpenAPI document without the patterns that texts must not match: `not` is for programs, and
 * would stand below each field.
 */
async function openApiDocument() {
  const response = await fetch('/openapi.json');
  if (!response.ok) throw new Error(`/openapi.json: ${response.status} ${response.statusText}`);
  return JSON.parse(await response.text(), (key, value) => (key === 'not' ? undefined : value));
}

async function showReference() {
  const [token, content] = await Promise.all([sampleToken(), openApiDocument()]);
  globalThis.Scalar.createApiReference('#reference', {
    content,
    // The document that the page has is not complete; its introduction links to the one that is.
    documentDownloadType: 'none',
    // The page calls the deployment that it comes from.
    servers: [{ url: location.origin }],
    ...(token && {
      authentication: { preferredSecurityScheme: 'token', securitySchemes: { token: { token } } },
    }),
    plugins: [exportsPlugin],
    customCss: CSS,
    // The sidebar shows each endpoint at once.
    defaultOpenAllTags: true,
    // The order of the document, in which fields that belong together are neighbours.
    orderSchemaPropertiesBy: 'preserve',
    orderRequiredPropertiesFirst: false,
    // No request to another server; the content security policy would refuse it.
    withDefaultFonts: false,
    telemetry: false,
    proxyUrl: '',
    agent: { disabled: true },
    mcp: { disabled: true },
    showDeveloperTools: 'never',
    hideClientButton: true,
  });
}

showReference().catch(({ message }) => {
  document.querySelector('#reference').textContent =
    `The API reference cannot be shown (${message}). Reload the page to try again.`;
});
