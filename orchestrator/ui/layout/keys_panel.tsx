// The open list of keyboard shortcuts; its code is loaded with the first opening.
import DialogPanel, { type ModalProps } from "../primitives/dialog_panel";

export type Group = { title: string; keys: { keys: string[]; what: string }[] };

const key = "rounded border border-border px-1.5 font-mono text-xs leading-5";

export default function KeysPanel({ groups, ...modal }: Omit<ModalProps, "title" | "children"> & { groups: Group[] }) {
  return (
    <DialogPanel {...modal} title="Keyboard shortcuts" size="md">
      <div className="flex flex-col gap-5">
        {groups.map((group) => (
          <section key={group.title}>
            <h3 className="text-xs font-medium text-muted-foreground">{group.title}</h3>
            <dl className="mt-1">
              {group.keys.map((row) => (
                <div key={row.what} className="flex min-h-9 items-center justify-between gap-4 border-b border-border text-sm last:border-b-0">
                  <dt>{row.what}</dt>
                  <dd className="flex shrink-0 items-center gap-1">
                    {row.keys.map((one) => (
                      <kbd key={one} className={key}>
                        {one}
                      </kbd>
                    ))}
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </DialogPanel>
  );
}
