// A link that also takes files: what is dropped on it goes along to the page with the uploader.
import { useEffect, useState, type DragEvent, type ReactNode } from "react";
import { Link, useNavigate } from "react-router";
import { cn } from "../primitives/cn";
import { fromDrop, ignoreStrayDrops, keepForUploader } from "./pick";

export function DropLink({ href, className, children }: { href: string; className?: string; children?: ReactNode }) {
  const navigate = useNavigate();
  const [over, setOver] = useState(false);
  useEffect(ignoreStrayDrops, []);
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    void fromDrop(event.dataTransfer).then((picked) => {
      if (picked.length === 0) return;
      keepForUploader(picked);
      void navigate(href);
    });
  };
  return (
    <Link
      to={href}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
      className={cn(className, over && "border-primary bg-primary/8")}
    >
      {children}
    </Link>
  );
}
