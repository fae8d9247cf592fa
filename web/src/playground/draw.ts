/** A recording's outline on a canvas, in the theme's colours, what was heard apart from the rest. */

import type { Recording } from "./recording";

const [BAR_PX, GAP_PX] = [2, 1];
/** Below one lifts quiet speech, as an ear does. */
const CURVE = 0.7;

export function drawn(canvas: HTMLCanvasElement, recording: Recording, seconds: number): void {
  const pen = canvas.getContext("2d");
  if (!pen) return;
  const { clientWidth: width, clientHeight: height } = canvas;
  const scale = devicePixelRatio;
  const [wide, high] = [Math.round(width * scale), Math.round(height * scale)];
  // Setting a size clears the canvas, even to the same one; only a new one needs it.
  if (canvas.width !== wide || canvas.height !== high) [canvas.width, canvas.height] = [wide, high];
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, width, height);
  const theme = getComputedStyle(canvas);
  const colour = (name: string) => theme.getPropertyValue(name).trim();
  const [played, still] = [colour("--accent"), colour("--line-strong")];
  const heard = recording.seconds ? (seconds / recording.seconds) * width : 0;
  const bars = recording.outline(Math.max(1, Math.floor(width / (BAR_PX + GAP_PX))));
  bars.forEach((peak, at) => {
    const x = at * (BAR_PX + GAP_PX);
    const tall = Math.max(BAR_PX, peak ** CURVE * (height - 4));
    pen.fillStyle = x < heard ? played : still;
    pen.beginPath();
    pen.roundRect(x, (height - tall) / 2, BAR_PX, tall, BAR_PX / 2);
    pen.fill();
  });
  pen.fillStyle = colour("--ink");
  pen.fillRect(Math.min(width - 1.5, Math.max(0, heard - 0.75)), 0, 1.5, height);
}
