/**
 * The icons, each an entry of one SVG file that the build makes of lucide's drawings.
 *
 * As a file they cost no script: forty components of lucide-react would be 5 kB of it. A new icon is
 * a line here; its name is lucide's, in kebab case.
 */

import type { SVGProps } from "react";
import sprite from "virtual:icons";

export type Icon = (props: SVGProps<SVGSVGElement>) => React.JSX.Element;

const icon = (name: string): Icon =>
  function Drawn(props) {
    return (
      <svg {...props}>
        <use href={`${sprite}#${name}`} />
      </svg>
    );
  };

export const ArrowUp = icon("arrow-up");
export const AudioLines = icon("audio-lines");
export const Boxes = icon("boxes");
export const Check = icon("check");
export const ChevronDown = icon("chevron-down");
export const ChevronUp = icon("chevron-up");
export const CircleAlert = icon("circle-alert");
export const CircleCheck = icon("circle-check");
export const CirclePause = icon("circle-pause");
export const Clock = icon("clock");
export const Compass = icon("compass");
export const Copy = icon("copy");
export const Download = icon("download");
export const FileAudio = icon("file-audio");
export const FileCheck = icon("file-check");
export const HardDrive = icon("hard-drive");
export const Info = icon("info");
export const LoaderCircle = icon("loader-circle");
export const Lock = icon("lock");
export const MemoryStick = icon("memory-stick");
export const Mic = icon("mic");
export const PackageOpen = icon("package-open");
export const Pause = icon("pause");
export const Pin = icon("pin");
export const PinOff = icon("pin-off");
export const Play = icon("play");
export const Redo2 = icon("redo-2");
export const RotateCcw = icon("rotate-ccw");
export const RotateCw = icon("rotate-cw");
export const Search = icon("search");
export const SearchX = icon("search-x");
export const ServerOff = icon("server-off");
export const Settings = icon("settings");
export const Square = icon("square");
export const Trash = icon("trash");
export const Trash2 = icon("trash-2");
export const TriangleAlert = icon("triangle-alert");
export const Upload = icon("upload");
export const Wrench = icon("wrench");
export const X = icon("x");
export const Zap = icon("zap");
