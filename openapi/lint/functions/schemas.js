// The rules of this house about schemas, read as they are written: references are not followed but where a rule says so.

const SNAKE = /^[a-z][a-z0-9]*(?:_[a-z0-9]+)*$/;
// An event is `resource.happened`, a scope `resource:action`, a sort order may begin with a minus.
const VALUE = /^-?[a-z][a-z0-9]*(?:[_.:][a-z0-9]+)*$/;
// A media type is a name of somebody else's (RFC 6838), and stays as it is.
const MEDIA_TYPE = /^[a-z]+\/[a-z0-9.+-]+$/;
const ONE = ["items", "additionalProperties", "unevaluatedProperties", "unevaluatedItems", "contains", "propertyNames", "not", "if", "then", "else"];
const LISTED = ["allOf", "anyOf", "oneOf", "prefixItems"];
const NAMED = ["properties", "patternProperties", "dependentSchemas", "$defs"];
const isObject = (value) => typeof value === "object" && value !== null;

/** Every schema of the document, wherever it stands: in components, parameters, headers and bodies. */
function* schemasOf(node, at) {
  for (const [key, value] of Object.entries(node)) {
    if (!isObject(value) || key === "example" || key === "examples" || key.startsWith("x-")) {
      continue;
    }
    const here = [...at, key];
    if (key === "schema") {
      yield* withParts(value, here);
    } else if (key === "schemas" && at.join() === "components") {
      for (const [name, schema] of Object.entries(value)) {
        yield* withParts(schema, [...here, name]);
      }
    } else {
      yield* schemasOf(value, here);
    }
  }
}

/** A schema and every schema inside it. */
function* withParts(schema, at) {
  if (!isObject(schema)) {
    return;
  }
  yield { schema, at };
  for (const key of ONE) {
    yield* withParts(schema[key], [...at, key]);
  }
  for (const key of [...LISTED, ...NAMED]) {
    for (const [name, part] of Object.entries(schema[key] ?? {})) {
      yield* withParts(part, [...at, key, name]);
    }
  }
}

/** What a reference within the document points to. */
function follow(document, reference) {
  const steps = reference.slice(2).split("/");
  const plain = (step) => decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~");
  return steps.reduce((node, step) => node?.[plain(step)], document);
}

function isDescribed(document, schema) {
  if (schema.description?.trim()) {
    return true;
  }
  if (schema.$ref?.startsWith("#/")) {
    return Boolean(follow(document, schema.$ref)?.description?.trim());
  }
  return LISTED.flatMap((key) => schema[key] ?? []).some((part) => part.$ref && isDescribed(document, part));
}

const rules = {
  *described({ schema, at }, document) {
    for (const [name, property] of Object.entries(schema.properties ?? {})) {
      if (!isDescribed(document, property)) {
        yield { message: `The property "${name}" has no description.`, path: [...at, "properties", name] };
      }
    }
  },

  *fields({ schema, at }) {
    for (const name of Object.keys(schema.properties ?? {})) {
      if (!SNAKE.test(name)) {
        yield { message: `The field "${name}" is not snake_case.`, path: [...at, "properties", name] };
      }
    }
  },

  *values({ schema, at }) {
    for (const value of [...(schema.enum ?? []), schema.const]) {
      if (typeof value === "string" && !VALUE.test(value) && !MEDIA_TYPE.test(value)) {
        yield { message: `The value "${value}" is not lower_snake.`, path: at };
      }
    }
  },
};

export default function schemas(document, { rule }) {
  const findings = [];
  for (const one of schemasOf(document, [])) {
    // Names that somebody else has set are not ours to spell; what they mean is still ours to say.
    if (rule === "described" || !one.schema["x-defined-by"]) {
      findings.push(...rules[rule](one, document));
    }
  }
  return findings;
}
