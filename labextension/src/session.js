// What the hub knows of this server, asked through the server itself.
import { URLExt } from "@jupyterlab/coreutils";
import { ServerConnection } from "@jupyterlab/services";

/** The server has no hub that could say anything, or an older one. */
export class NoHub extends Error {}

/**
 * Ask for the session, or with `body` for more time; `language` is that of JupyterLab.
 *
 * Resolves to { ok, session }; raises NoHub where there is nobody to ask, and other errors while
 * the hub or the server is away.
 */
export async function ask(body, language) {
  const settings = ServerConnection.makeSettings();
  const query = language ? URLExt.objectToQueryString({ language }) : "";
  const url = URLExt.join(settings.baseUrl, "slurmhub", "session") + query;
  const request = body ? { method: "POST", body: JSON.stringify(body) } : {};
  const response = await ServerConnection.makeRequest(url, request, settings);
  if (response.status === 404) {
    throw new NoHub();
  }
  if (response.status === 502) {
    throw new Error("The hub does not answer.");
  }
  const session = await response.json();
  if (!response.ok && !session.message) {
    throw new Error(`The hub answered ${response.status}.`);
  }
  return { ok: response.ok, session };
}
