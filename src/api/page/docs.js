/* The page's own part: who is logged in, and Swagger UI in Spanish. The token lives in this page's memory and nowhere else. */
"use strict";

const SCHEME = "sesion"; // as in openapi.json

/* What Swagger UI says by itself; it has no other languages. */
const WORDS = {
  "Authorize": "Credenciales",
  "Available authorizations": "Credenciales",
  "Cancel": "Cancelar",
  "Clear": "Limpiar",
  "Close": "Cerrar",
  "Code": "Código",
  "Controls ": "Decide ",
  " header.": ".",
  "Copy to clipboard": "Copiar",
  "Curl": "curl",
  "Default value": "Valor por omisión",
  "Description": "Descripción",
  "Details": "Detalles",
  "Download": "Descargar",
  "Edit Value": "Editar",
  "Example Description": "Ejemplo",
  "Example Value": "Ejemplo",
  "Examples": "Ejemplos",
  "Examples: ": "Ejemplos: ",
  "Execute": "Enviar",
  "Headers:": "Cabeceras:",
  "Links": "Enlaces",
  "Loading...": "Cargando…",
  "LOADING": "ENVIANDO",
  "Logout": "Salir",
  "Media type": "Tipo",
  "Name": "Nombre",
  "No links": "Ninguno",
  "No parameters": "Sin parámetros",
  "No operations defined in spec!": "La descripción no tiene llamadas.",
  "Parameters": "Parámetros",
  "Request URL": "URL",
  "Request body": "Cuerpo",
  "Request duration": "Duración",
  "Reset": "Restablecer",
  "Response body": "Cuerpo",
  "Response headers": "Cabeceras",
  "Responses": "Respuestas",
  "Schema": "Esquema",
  "Schemas": "Esquemas",
  "Send empty value": "Enviar vacío",
  "Server response": "Respuesta del servicio",
  "Servers": "Servidores",
  "Try it out": "Probar",
  "Try it out ": "Probar",
  "Type": "Tipo",
  "Undocumented": "Sin documentar",
  "[Modified value]": "[valor cambiado]",
};
const ATTRIBUTES = ["placeholder", "title", "aria-label"];
const OTHERS_TEXT = "pre, code, textarea, .markdown, .renderedMarkdown, .opblock-summary-path, .opblock-summary-description";

function translateText(node) {
  const spanish = WORDS[node.nodeValue];
  if (spanish !== undefined && spanish !== node.nodeValue && !node.parentElement?.closest(OTHERS_TEXT)) node.nodeValue = spanish;
}

function translate(root) {
  if (root.nodeType === Node.TEXT_NODE) {
    translateText(root);
    return;
  }
  if (root.nodeType !== Node.ELEMENT_NODE) return;
  const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) translateText(texts.currentNode);
  for (const element of [root, ...root.querySelectorAll("[placeholder], [title], [aria-label]")])
    for (const attribute of ATTRIBUTES) {
      const spanish = WORDS[element.getAttribute(attribute)];
      if (spanish !== undefined) element.setAttribute(attribute, spanish);
    }
}

function speakSpanish(element) {
  new MutationObserver(changes => {
    for (const change of changes) {
      if (change.type === "characterData") translateText(change.target);
      change.addedNodes.forEach(translate);
    }
  }).observe(element, { childList: true, characterData: true, subtree: true });
}

const byId = id => document.getElementById(id);
let token = null;

function say(text) {
  byId("aviso").textContent = text;
}

function showSession(email) {
  byId("entrada").hidden = email !== null;
  byId("salida").hidden = email === null;
  byId("quien").textContent = email ?? "";
  byId("clave").value = "";
}

/* The service's own words for what went wrong. */
function wordsOf(answer, body) {
  if (typeof body?.detail === "string") return body.detail;
  return Array.isArray(body?.detail) ? body.detail.map(field => field.msg).join(". ") : `Error ${answer.status}`;
}

async function call(path, headers, body) {
  const answer = await fetch(path, { method: "POST", headers, body });
  const said = await answer.json().catch(() => null);
  if (!answer.ok) throw new Error(wordsOf(answer, said));
  return said;
}

function forget() {
  token = null;
  ui.authActions.logout([SCHEME]);
  showSession(null);
}

async function logIn(event) {
  event.preventDefault();
  const email = byId("correo").value;
  try {
    const said = await call("auth/login", { "Content-Type": "application/json" }, JSON.stringify({ correo: email, password: byId("clave").value }));
    token = said.access_token;
    ui.preauthorizeApiKey(SCHEME, token);
    showSession(email);
    say("");
  } catch (error) {
    say(error.message);
  }
}

async function logOut(event) {
  event.preventDefault();
  try {
    await call("auth/logout", { Authorization: `Bearer ${token}` });
    say("Sesión cerrada");
  } catch (error) {
    say(error.message);
  }
  forget();
}

/* A token that has ended says so with the next call. */
function lookAtAnswer(answer) {
  if (answer.status === 401 && token !== null && answer.headers?.["www-authenticate"]) {
    forget();
    say("La sesión terminó: inicie sesión de nuevo");
  }
  return answer;
}

speakSpanish(byId("vista"));
const ui = SwaggerUIBundle({
  url: "openapi.json",
  domNode: byId("vista"),
  deepLinking: true,
  validatorUrl: null,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  responseInterceptor: lookAtAnswer,
});
byId("entrada").addEventListener("submit", logIn);
byId("salida").addEventListener("submit", logOut);
