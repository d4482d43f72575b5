// One clip of a grid: a still picture until the pointer is over it, then it plays. The thumbnail holds four frames side by side;
// where a browser cannot play the file, those four take turns instead.
import { useEffect, useRef, useState } from "react";
import { cn } from "../primitives/cn";

type Props = {
  thumbnail: string;
  preview: string;
  title: string;
  length?: string;
  className?: string;
};

const FRAMES = ["0%", "33.33%", "66.67%", "100%"];
const TURN_MS = 400;

export function ClipPlayer({ thumbnail, preview, title, length, className }: Props) {
  const [playing, setPlaying] = useState(false);
  const [refused, setRefused] = useState(false);
  const [frame, setFrame] = useState(1);
  const wait = useRef<number | undefined>(undefined);

  const start = () => {
    // Brushing over a row of clips must not ask the server for all of them.
    wait.current = window.setTimeout(() => setPlaying(true), 120);
  };
  const stop = () => {
    window.clearTimeout(wait.current);
    setPlaying(false);
    setFrame(1);
  };
  useEffect(() => () => window.clearTimeout(wait.current), []);
  useEffect(() => {
    const reducedMotion = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (!playing || reducedMotion || (preview && !refused)) return undefined;
    const turns = window.setInterval(() => setFrame((now) => (now + 1) % FRAMES.length), TURN_MS);
    return () => window.clearInterval(turns);
  }, [playing, refused, preview]);

  return (
    <button
      type="button"
      aria-label={playing ? `Stop ${title}` : `Play ${title}`}
      aria-pressed={playing}
      title={title}
      onMouseEnter={start}
      onMouseLeave={stop}
      onBlur={stop}
      onClick={() => (playing ? stop() : setPlaying(true))}
      className={cn("relative block aspect-[4/3] w-full overflow-hidden rounded-lg bg-film", className)}
    >
      {thumbnail && (
        <img
          src={thumbnail}
          alt=""
          loading="lazy"
          decoding="async"
          className="absolute inset-0 size-full object-cover"
          style={{ objectPosition: FRAMES[frame] }}
        />
      )}
      {playing && preview && !refused && (
        <video
          src={preview}
          muted
          loop
          autoPlay
          playsInline
          disablePictureInPicture
          onError={() => setRefused(true)}
          className="absolute inset-0 size-full object-cover"
        />
      )}
      {length && (
        <span className="absolute right-1.5 bottom-1.5 rounded-md bg-black/70 px-1.5 py-0.5 text-xs font-medium tabular text-white">
          {length}
        </span>
      )}
    </button>
  );
}
