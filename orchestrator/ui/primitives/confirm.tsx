// Asks before something is destroyed: by name where it matters, with what depends on the thing.
import { opened } from "./opened";

export const Confirm = opened(() => import("./confirm_panel"));
