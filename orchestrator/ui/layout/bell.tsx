// Notifications: a panel under the bell, a count while something is unread, and notifications of the browser where enabled.
import { Bell as BellIcon, BellRing, CircleCheck, CircleStop, CircleX, Unplug } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { Link } from "react-router";
import { cn } from "../primitives/cn";
import { exact, parseTime, relative } from "../primitives/format";
import { squareButton } from "./theme_toggle";

type Notice = { id: number; kind: string; title: string; body: string; href: string; at: string; read: boolean };
type Props = { items?: Notice[]; unread?: number; newest?: number; onOpen?: () => void };

const KEY = "loreel-browser-notices";
const faces: Record<string, { icon: typeof BellIcon; tone: string }> = {
  completed: { icon: CircleCheck, tone: "text-success" },
  failed: { icon: CircleX, tone: "text-destructive" },
  stopped: { icon: CircleStop, tone: "text-muted-foreground" },
  recovered: { icon: Unplug, tone: "text-warning" },
};

const supported = () => typeof window !== "undefined" && "Notification" in window;

/** One browser notification for one notice, however many tabs are open. */
function ring(notice: Notice) {
  if (!supported() || Notification.permission !== "granted" || localStorage.getItem(KEY) !== "on") return;
  const notification = new Notification(notice.title, { body: notice.body, tag: `loreel-${notice.id}`, icon: "/favicon.svg" });
  notification.onclick = () => {
    window.focus();
    if (notice.href) window.location.assign(notice.href);
    notification.close();
  };
}

function useBrowserNotices(): [boolean, string, () => void] {
  const [on, setOn] = useState(false);
  const [why, setWhy] = useState("");
  useEffect(() => setOn(supported() && Notification.permission === "granted" && localStorage.getItem(KEY) === "on"), []);
  const toggle = async () => {
    if (!supported()) return setWhy("This browser cannot show notifications.");
    if (!on && (await Notification.requestPermission()) !== "granted") return setWhy("The browser does not allow it; allow notifications for this site first.");
    localStorage.setItem(KEY, on ? "off" : "on");
    setWhy("");
    setOn(!on);
  };
  return [on, why, toggle];
}

function Row({ notice, onGo }: { notice: Notice; onGo: () => void }) {
  const face = faces[notice.kind] ?? { icon: BellIcon, tone: "text-muted-foreground" };
  const at = parseTime(notice.at);
  const inside = (
    <>
      <face.icon aria-hidden className={cn("mt-0.5 size-4 shrink-0", face.tone)} />
      <span className="min-w-0 flex-1">
        <span className={cn("block text-sm break-words", !notice.read && "font-semibold")}>{notice.title}</span>
        {notice.body && <span className="mt-0.5 block text-xs break-words text-muted-foreground">{notice.body}</span>}
        <time dateTime={notice.at} title={exact(at)} className="mt-1 block text-xs text-muted-foreground">
          {relative(at, new Date())}
        </time>
      </span>
      {!notice.read && <span className="mt-1.5 size-1.5 shrink-0 rounded-full bg-primary" aria-label="unread" role="img" />}
    </>
  );
  const look = "flex gap-3 px-4 py-3 no-underline";
  return <li className="border-t border-border first:border-t-0">{notice.href ? <Link to={notice.href} onClick={onGo} className={cn(look, "focus-ring hover:bg-muted")}>{inside}</Link> : <div className={look}>{inside}</div>}</li>;
}

export function Bell({ items = [], unread = 0, newest = 0, onOpen }: Props) {
  const [open, setOpen] = useState(false);
  const [on, why, toggle] = useBrowserNotices();
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const rung = useRef(0);
  useEffect(() => {
    const notice = items.find((item) => item.id === newest);
    if (!notice || rung.current >= newest) return;
    rung.current = newest;
    ring(notice);
  }, [newest, items]);
  useEffect(() => {
    if (!open) return;
    const leave = (event: Event) => {
      if (!box.current?.contains(event.target as Node)) setOpen(false);
    };
    const escape = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      setOpen(false);
      button.current?.focus();
    };
    document.addEventListener("pointerdown", leave);
    document.addEventListener("keydown", escape);
    return () => {
      document.removeEventListener("pointerdown", leave);
      document.removeEventListener("keydown", escape);
    };
  }, [open]);
  // Notifications that were new when the panel was opened stay marked until it is opened again.
  const press = () => {
    if (!open) onOpen?.();
    setOpen(!open);
  };
  const label = unread ? `Notifications, ${unread} unread` : "Notifications";
  return (
    <div ref={box} className="relative">
      <button ref={button} type="button" aria-label={label} aria-expanded={open} aria-haspopup="dialog" onClick={press} data-unread={unread} id="bell" className={cn(squareButton, "relative")}>
        {unread ? <BellRing aria-hidden className="size-4" /> : <BellIcon aria-hidden className="size-4" />}
        {unread > 0 && (
          <span aria-hidden className="absolute right-0.5 top-0.5 min-w-4 rounded-full bg-primary px-1 text-center text-[0.625rem] leading-4 font-semibold tabular text-primary-foreground">
            {unread > 99 ? "99+" : unread}
          </span>
        )}
      </button>
      <span role="status" className="sr-only">
        {newest && items[0] ? items[0].title : ""}
      </span>
      {open && (
        <div
          role="dialog"
          aria-label="Notifications"
          className="absolute right-0 top-11 z-60 w-88 max-w-[calc(100vw-2rem)] overflow-hidden rounded-xl border border-border bg-popover text-foreground shadow-float animate-enter max-sm:fixed max-sm:inset-x-4 max-sm:top-15 max-sm:w-auto"
        >
          <h2 className="px-4 py-3 text-sm font-semibold">Notifications</h2>
          {items.length ? (
            <ul className="max-h-96 overflow-y-auto border-t border-border">
              {items.map((notice) => (
                <Row key={notice.id} notice={notice} onGo={() => setOpen(false)} />
              ))}
            </ul>
          ) : (
            <p className="border-t border-border px-4 py-6 text-sm text-muted-foreground">Nothing yet. Jobs that end or recover by themselves appear here.</p>
          )}
          <div className="flex flex-wrap items-center justify-between gap-2 border-t border-border px-4 py-2.5 text-xs">
            <label className="flex cursor-pointer items-center gap-2">
              <input type="checkbox" checked={on} onChange={() => void toggle()} className="size-4 cursor-pointer accent-(--primary) focus-ring" />
              Show them in this browser
            </label>
            <Link to="/settings" onClick={() => setOpen(false)} className="link-muted text-muted-foreground">
              Webhook and e-mail
            </Link>
            {why && (
              <p role="alert" className="w-full text-destructive">
                {why}
              </p>
            )}
          </div>
        </div>
      )}
    </div>
  );
}
