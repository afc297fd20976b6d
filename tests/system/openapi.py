"""/openapi.json as a list of conversations: what is called, what is sent, what is answered, and whether a real answer is like it.

    description = Description(api)
    for example in description.examples: reply = example.play(caller); example.faults(reply)
"""
import re

import jsonschema

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# What is another in each service and at each moment: only its kind is compared.
VARIES = {"access_token", "actor", "created_at", "cuenta", "desde", "destination_id", "direccion", "ended_at", "expira", "id", "momento", "n", "password", "pid", "port",
          "request_id", "siguiente", "token", "ultima_descarga"}
VARIES_AS_A_NUMBER_ONLY = {"id"}  # a text under that name is the request's


def kind(value):
    return "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value).__name__


def differences(written, real, where="$"):
    """Yields what in a real answer is not as it is written down."""
    key = where.rpartition(".")[2]
    if kind(written) != kind(real):
        yield f"{where}: {written!r} is written down, it was {real!r}"
    elif isinstance(written, dict):
        for name in sorted(written.keys() ^ real.keys()):
            yield f"{where}.{name}: only {'written down' if name in written else 'in the answer'}"
        for name in written.keys() & real.keys():
            yield from differences(written[name], real[name], f"{where}.{name}")
    elif isinstance(written, list):
        if len(written) != len(real):
            yield f"{where}: {len(written)} are written down, there were {len(real)}"
        for n, (one, other) in enumerate(zip(written, real)):
            yield from differences(one, other, f"{where}[{n}]")
    elif written != real and (key not in VARIES or (key in VARIES_AS_A_NUMBER_ONLY and kind(real) != "number")):
        yield f"{where}: {written!r} is written down, it was {real!r}"


class Example:
    """One answer that is written down, with the call that gets it."""

    def __init__(self, description, operation, status, name, row):
        self.operation, self.status, self.name = operation, status, name
        self.answer = row["value"]
        self.path = row["x-llamada"]
        bodies = operation.row.get("requestBody", {}).get("content", {}).get("application/json", {}).get("examples", {})
        self.body = row["x-cuerpo"] if "x-cuerpo" in row else bodies.get(name, {}).get("value")
        self._description = description

    @property
    def key(self):
        return self.operation.id, self.name

    def play(self, caller):
        return caller(self.operation.method, self.path, self.body, timeout=120)

    def faults(self, reply):
        if reply.status != self.status:
            return [f"{self.key}: {reply.status} instead of {self.status}: {reply}"]
        found = [*differences(self.answer, reply.json), *self._description.schema_faults(self.operation, self.status, reply.json),
                 *self._description.header_faults(self.operation, reply)]
        return [f"{self.key}: {fault}" for fault in found]


class Operation:
    def __init__(self, path, method, row):
        self.path, self.method, self.row = path, method, row
        self.id = row["operationId"]
        self.public = row["security"] == []
        self.has_body = "415" in row["responses"]

    def matches(self, method, path):
        """Is this the operation of a call with {} or values in its path?"""
        pattern = "".join("[^/]+" if part.startswith("{") else re.escape(part) for part in re.split(r"(\{[^}]*\})", self.path))
        return method == self.method and re.fullmatch(pattern, path) is not None

    @property
    def example_path(self):
        """With the examples of its parameters."""
        path = self.path
        for parameter in self.row["parameters"]:
            if parameter["in"] == "path":
                path = path.replace("{" + parameter["name"] + "}", parameter["example"])
        return path


class Description:
    def __init__(self, api):
        self.document = api.get("/openapi.json").json
        self.operations = [Operation(path, method.upper(), row) for path, item in self.document["paths"].items() for method, row in item.items()]
        self.examples = [Example(self, operation, int(status), name, row)
                         for operation in self.operations for status, response in operation.row["responses"].items()
                         for name, row in self._resolve(response).get("content", {}).get("application/json", {}).get("examples", {}).items()
                         if "x-llamada" in row]

    def _resolve(self, response):
        if "$ref" not in response:
            return response
        return self.document["components"]["responses"][response["$ref"].rpartition("/")[2]]

    def operation(self, method, path):
        """The operation of a call; a path that is written as it is comes before one with parameters, as in the service."""
        found = [operation for operation in self.operations if operation.matches(method, path)]
        return min(found, key=lambda operation: operation.path.count("{"), default=None)

    def response(self, operation, status):
        """What is written about a status; None: nothing."""
        row = operation.row["responses"].get(str(status))
        return row and self._resolve(row)

    def standing_answer(self, operation, status):
        """The answer that an error has in every call."""
        return self.response(operation, status)["content"]["application/json"]["examples"]["general"]["value"]

    def schema_faults(self, operation, status, answer):
        schema = self.response(operation, status)["content"]["application/json"]["schema"]
        validator = jsonschema.Draft202012Validator(schema, resolver=jsonschema.RefResolver.from_schema(self.document))
        return [f"{'.'.join(map(str, error.absolute_path))}: {error.message}" for error in validator.iter_errors(answer)]

    def header_faults(self, operation, reply):
        return [f"no header {name}" for name in self.response(operation, reply.status)["headers"] if name not in reply.headers]
