// The rules of this house about operations. Each takes one operation and yields what is wrong with it.

const METHODS = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];
const JSON_MEDIA = /^application\/(?:[a-z0-9.-]+\+)?json(?:$|;)/;
const DATE = /^\d{4}-\d{2}-\d{2}$/;
const SNAKE = /^[a-z][a-z0-9]*(?:_[a-z0-9]+)*$/;
const SCOPE = /^[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*:[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*$/;
// A dot opens a well-known folder or a file's ending; a parameter fills its segment, but for such an ending.
const SEGMENT = /^(?:\.?[a-z0-9]+(?:[.-][a-z0-9]+)*|\{[a-z][a-z0-9]*(?:_[a-z0-9]+)*\}(?:\.[a-z0-9]+)?)$/;

/** One operation of the document, webhooks included, with the parameters of its path. */
function* operationsOf(document) {
  for (const section of ["paths", "webhooks"]) {
    for (const [path, item] of Object.entries(document[section] ?? {})) {
      for (const method of METHODS.filter((method) => item?.[method])) {
        const operation = item[method];
        yield {
          section,
          path,
          method,
          operation,
          parameters: [...(item.parameters ?? []), ...(operation.parameters ?? [])],
          at: [section, path, method],
          name: section === "webhooks" ? `webhook ${path}` : `${method.toUpperCase()} ${path}`,
        };
      }
    }
  }
}

const isVersioned = ({ section, path }) => section === "paths" && path.startsWith("/v1/");
const responsesOf = ({ operation }) => Object.entries(operation.responses ?? {});
const contentOf = (body) => Object.entries(body?.content ?? {});
const takes = ({ parameters }, place, name) =>
  parameters.some((parameter) => parameter.in === place && parameter.name?.toLowerCase() === name.toLowerCase());

/** The properties of a schema, with those it takes over through allOf. */
function propertiesOf(schema) {
  return Object.assign({}, ...(schema?.allOf ?? []).map(propertiesOf), schema?.properties);
}

function hasExample(media) {
  const { example, examples, schema } = media;
  return (
    example !== undefined ||
    Object.keys(examples ?? {}).length > 0 ||
    schema?.example !== undefined ||
    (schema?.examples ?? []).length > 0
  );
}

const rules = {
  *tag({ operation, at, name }, document) {
    const tags = operation.tags ?? [];
    if (tags.length !== 1) {
      yield { message: `${name} has ${tags.length} tags, not one.`, path: at };
    }
    for (const tag of tags) {
      const declared = (document.tags ?? []).find((each) => each.name === tag);
      if (!declared?.description?.trim()) {
        const what = declared ? "has no description" : "is not declared";
        yield { message: `The tag "${tag}" of ${name} ${what}.`, path: [...at, "tags"] };
      }
    }
  },

  *success(one) {
    if (isVersioned(one) && !responsesOf(one).some(([status]) => /^2(\d\d|XX)$/.test(status))) {
      yield { message: `${one.name} documents no 2xx response.`, path: [...one.at, "responses"] };
    }
  },

  *problems(one) {
    if (one.path === "/oauth/token") {
      return;
    }
    for (const [status, response] of responsesOf(one)) {
      const media = contentOf(response).map(([type]) => type);
      if (/^4(\d\d|XX)$/.test(status) && media.join() !== "application/problem+json") {
        const found = media.join(", ") || "no body";
        yield {
          message: `${status} of ${one.name} is ${found}, not application/problem+json.`,
          path: [...one.at, "responses", status],
        };
      }
    }
  },

  *examples(one) {
    const bodies = [
      ["its request body", one.operation.requestBody, ["requestBody"]],
      ...responsesOf(one)
        .filter(([status]) => status.startsWith("2"))
        .map(([status, response]) => [status, response, ["responses", status]]),
    ];
    for (const [what, body, where] of bodies) {
      for (const [type, media] of contentOf(body)) {
        if (JSON_MEDIA.test(type) && !hasExample(media)) {
          yield {
            message: `${one.name} shows no example of ${what} in ${type}.`,
            path: [...one.at, ...where, "content", type],
          };
        }
      }
    }
  },

  *security(one) {
    if (!isVersioned(one)) {
      return;
    }
    const ways = one.operation.security ?? [];
    const scopes = ways.flatMap((way) => Object.values(way).flat());
    if (ways.some((way) => Object.keys(way).length === 0)) {
      yield { message: `${one.name} lets a caller in without any security.`, path: [...one.at, "security"] };
    }
    if (scopes.length === 0 && one.path !== "/v1/me") {
      yield { message: `${one.name} names no scope.`, path: one.at };
    }
    for (const scope of scopes.filter((scope) => !SCOPE.test(scope))) {
      yield { message: `The scope "${scope}" of ${one.name} is not resource:action.`, path: [...one.at, "security"] };
    }
  },

  *deprecation({ operation, at, name }) {
    const notice = operation["x-deprecation"];
    if (!operation.deprecated && notice === undefined) {
      return;
    }
    const [since, sunset] = [notice?.since_on, notice?.sunset_on].map((on) => (DATE.test(on) ? new Date(on) : NaN));
    if (!operation.deprecated || isNaN(since) || isNaN(sunset)) {
      yield { message: `${name} is deprecated, and x-deprecation does not say since_on and sunset_on.`, path: at };
      return;
    }
    since.setUTCFullYear(since.getUTCFullYear() + 1);
    if (sunset < since) {
      yield { message: `${name} is deprecated for less than twelve months.`, path: [...at, "x-deprecation"] };
    }
  },

  *idempotency(one) {
    if (isVersioned(one) && one.method === "post" && !takes(one, "header", "Idempotency-Key")) {
      yield { message: `${one.name} does not document the header Idempotency-Key.`, path: one.at };
    }
  },

  *lists(one) {
    if (!isVersioned(one) || one.method !== "get") {
      return;
    }
    const schemas = responsesOf(one)
      .filter(([status]) => status.startsWith("2"))
      .flatMap(([, response]) => contentOf(response))
      .filter(([type]) => JSON_MEDIA.test(type))
      .map(([, media]) => media.schema ?? {});
    for (const schema of schemas) {
      if (schema.type === "array") {
        yield { message: `${one.name} answers with a bare array, not {data, has_more, next_cursor}.`, path: one.at };
        continue;
      }
      const properties = propertiesOf(schema);
      if (properties.data?.type !== "array") {
        continue;
      }
      for (const field of ["has_more", "next_cursor"].filter((field) => !(field in properties))) {
        yield { message: `${one.name} is a list without the field ${field}.`, path: one.at };
      }
      for (const parameter of ["limit", "cursor"].filter((parameter) => !takes(one, "query", parameter))) {
        yield { message: `${one.name} is a list that does not document ${parameter}.`, path: one.at };
      }
    }
  },

  *parameters({ parameters, at, name }) {
    for (const parameter of parameters) {
      if (parameter.in !== "header" && !SNAKE.test(parameter.name)) {
        yield { message: `The parameter "${parameter.name}" of ${name} is not snake_case.`, path: at };
      }
    }
  },

  *paths({ section, path, method, at }) {
    if (section !== "paths" || path === "/") {
      return;
    }
    for (const segment of path.slice(1).split("/").filter((segment) => !SEGMENT.test(segment))) {
      yield { message: `"${segment}" of ${method.toUpperCase()} ${path} is neither kebab-case nor {snake_case}.`, path: at };
    }
  },
};

export default function operations(document, { rule }) {
  const findings = [];
  for (const one of operationsOf(document)) {
    findings.push(...rules[rule](one, document));
  }
  return findings;
}
