// A projector's beam across the first screen: it lights up once, then leans a little towards the pointer.
import { animate } from "motion/mini";
import { useEffect, useRef } from "react";

export function Beam() {
  const beam = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = beam.current;
    if (!element || window.matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    const light = animate(element, { opacity: [0.35, 1] }, { duration: 0.9, ease: "easeOut" });
    let rotation: { stop: () => void } | null = null;
    let due = 0;
    const follow = (event: PointerEvent) => {
      if (due || event.pointerType !== "mouse") return;
      due = requestAnimationFrame(() => {
        due = 0;
        const angle = (event.clientX / window.innerWidth - 0.5) * -6;
        rotation?.stop();
        rotation = animate(element, { transform: `rotate(${angle.toFixed(2)}deg)` }, { duration: 0.6, ease: "easeOut" });
      });
    };
    window.addEventListener("pointermove", follow, { passive: true });
    return () => {
      window.removeEventListener("pointermove", follow);
      cancelAnimationFrame(due);
      light.stop();
      rotation?.stop();
    };
  }, []);
  return (
    <div aria-hidden className="pointer-events-none absolute inset-x-0 top-0 h-[46rem] overflow-hidden">
      <div ref={beam} className="beam-cone absolute -left-24 -top-40 h-[60rem] w-[80rem] origin-top-left" />
    </div>
  );
}
