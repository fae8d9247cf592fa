/** The present choices as a command of another program, ready to be pasted into a POSIX shell. */

import { type Asked, fieldsOf } from "./choices";

/** origin: of this page; clip: the name of the file whose voice is cloned. */
export type Command = (asked: Asked, origin: string, clip: string | null) => string;

const PLAIN = /^[\w@%+=:,./-]+$/;
const CONTINUED = " \\\n  ";

export const shellQuoted = (word: string): string => (PLAIN.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);

/** A file's name that no program takes for an option. */
const fileWord = (name: string): string => (name.startsWith("-") ? `./${name}` : name);

export const curl: Command = (asked, origin, clip) => {
  const body = JSON.stringify(fieldsOf(asked));
  const address = shellQuoted(`${origin}/v1/audio/speech`);
  const send = (data: string) =>
    [
      `curl -sS --fail-with-body ${address}`,
      "-H 'Content-Type: application/json'",
      `--data-binary ${data}`,
      "-o speech.wav",
    ].join(CONTINUED);
  if (clip === null) return send(shellQuoted(body));
  // The clip goes through a pipe: a command's arguments are not that long.
  const start = `${body.slice(0, -1)},"ref_audio":"`;
  const file = shellQuoted(fileWord(clip));
  return `{ printf %s ${shellQuoted(start)}; base64 < ${file} | tr -d '\\n'; printf '"}'; } |${CONTINUED}${send("@-")}`;
};

/** A JSON string is a Python string too. */
const python = (value: string | number): string => JSON.stringify(value);

export const openai: Command = (asked, origin, clip) => {
  const { model, input, voice, response_format, speed, instructions, ...extra } = fieldsOf(asked);
  const lines = Object.entries({ model, voice: voice ?? "default", input, response_format, speed, instructions })
    .flatMap(([name, value]) => (value === undefined ? [] : [`    ${name}=${python(value)},`]));
  const extras = Object.entries(extra).map(([name, value]) => `"${name}": ${python(value)}`);
  if (clip !== null) extras.push(`"ref_audio": base64.b64encode(open(${python(clip)}, "rb").read()).decode()`);
  if (extras.length) lines.push(`    extra_body={${extras.join(", ")}},`);
  return [
    ...(clip === null ? [] : ["import base64", ""]),
    "from openai import OpenAI",
    "",
    `client = OpenAI(base_url=${python(`${origin}/v1`)}, api_key="none")`,
    "with client.audio.speech.with_streaming_response.create(",
    ...lines,
    ") as speech:",
    `    speech.stream_to_file("speech.wav")`,
  ].join("\n");
};

export const cli: Command = (asked, origin, clip) => {
  const options: [string, string | number | null][] = [
    ["-m", asked.model],
    ["--voice", asked.voice],
    ["--speed", asked.speed === 1 ? null : asked.speed],
    ["--language", asked.language],
    ["--instruct", asked.instructions],
    ["--clip", clip === null ? null : fileWord(clip)],
    ["--transcript", asked.transcript],
    ["--seed", asked.seed],
    ["-o", "speech.wav"],
  ];
  const words = options
    .filter(([, value]) => value !== null && value !== "")
    .map(([name, value]) => `${name} ${shellQuoted(String(value))}`);
  // A lone - would be read as "from standard input".
  const text = asked.text === "-" ? "- " : asked.text;
  return [`sirene --url ${shellQuoted(origin)} say`, ...words, `-- ${shellQuoted(text)}`].join(CONTINUED);
};
