import { ApiError, errorOf } from "~/api/client";

/** Sends one file of a model; fetch cannot tell how far an upload is. Throws: ApiError; AbortError when it is stopped. */
export function upload(
  modelId: string,
  path: string,
  content: Blob,
  { sent, signal }: { sent: (bytes: number) => void; signal: AbortSignal },
): Promise<void> {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    const file = path.split("/").map(encodeURIComponent).join("/");
    request.open("PUT", `/api/models/${encodeURIComponent(modelId)}/files/${file}`);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.upload.onprogress = (event) => sent(event.loaded);
    request.onload = () => (request.status < 300 ? done() : failed(errorIn(request)));
    request.onerror = () => failed(errorIn(request));
    request.onabort = () => failed(new DOMException("stopped", "AbortError"));
    signal.addEventListener("abort", () => request.abort());
    request.send(content);
  });
}

function errorIn(request: XMLHttpRequest): ApiError {
  try {
    return errorOf(JSON.parse(request.responseText), request.status);
  } catch {
    return errorOf(null, request.status);
  }
}
