// A link that also takes dropped files and hands them to the uploader of the page that it opens.
import { useEffect, type ReactNode } from "react";
import { Link, useNavigate } from "react-router";
import { cn } from "../primitives/cn";
import { useDropZone } from "./drop_zone";
import { filesOfDrop, ignoreStrayDrops, storeForUploader } from "./pick";

export function DropLink({ href, className, children }: { href: string; className?: string; children?: ReactNode }) {
  const navigate = useNavigate();
  useEffect(ignoreStrayDrops, []);
  const { over, handlers } = useDropZone((transfer) => {
    void filesOfDrop(transfer).then((picked) => {
      if (picked.length === 0) return;
      storeForUploader(picked);
      void navigate(href);
    });
  });
  return (
    <Link
      to={href}
      {...handlers}
      className={cn(className, over && "border-primary bg-primary/8")}
    >
      {children}
    </Link>
  );
}
