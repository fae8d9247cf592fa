import { Pause, Play } from "~/ui/icons";
import { useEffect, useRef, useState } from "react";
import { useWords } from "~/text/words";
import { IconButton } from "~/ui/button";
import type { Clip } from "./clip";
import { words } from "./clip-words";

/** Hears the clip as it is, before a voice is made of it. */
export function ClipPlay({ clip }: { clip: Clip }) {
  const w = useWords(words);
  const audio = useRef<HTMLAudioElement>(null);
  const [isPlaying, setPlaying] = useState(false);
  useEffect(() => {
    const element = audio.current;
    if (!element) return;
    const url = URL.createObjectURL(clip.file);
    element.src = url;
    return () => {
      element.removeAttribute("src");
      URL.revokeObjectURL(url);
    };
  }, [clip]);
  const toggle = () => (isPlaying ? audio.current?.pause() : void audio.current?.play().catch(() => setPlaying(false)));
  return (
    <>
      <audio ref={audio} onPlay={() => setPlaying(true)} onPause={() => setPlaying(false)} />
      <IconButton
        label={isPlaying ? w.pauseClip : w.playClip}
        size="small"
        icon={isPlaying ? <Pause className="size-4" aria-hidden /> : <Play className="size-4" aria-hidden />}
        onClick={toggle}
      />
    </>
  );
}
