"""Task groups: a name around tasks, for people, for ids, for defaults, and for arrows to many tasks at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Self, TypeVar, overload

from .calls import CheckedCall
from .construction import merged_defaults
from .edges import Dependable
from .errors import WrongArgument, WrongValue, checked_id
from .node import Task
from .notset import NOTSET
from .stack import building, current_dag, current_group

if TYPE_CHECKING:
    from .definition import DAG
    from .expansion import Expansion


class TaskGroup(Dependable, metaclass=CheckedCall):
    """A group of tasks and groups. Tasks made inside its `with` block belong to it.

    Parameters:
        group_id: unique in the DAG together with task ids; the prefix of the group around is added.
        group_display_name: name for people.
        prefix_group_id: whether ids inside get this group's id as prefix.
        parent_group, dag: default those whose `with` block is open.
        default_args: defaults of tasks inside, over the DAG's.
        tooltip, doc_md, ui_color, ui_fgcolor: for people.
        add_suffix_on_collision: take the next free id (`x__1`) instead of refusing one that is used.

    Raises:
        DuplicateTaskIdFound: the id is used in the DAG.
        WrongValue: the id has odd characters, or there is no DAG.
    """

    def __init__(
        self,
        group_id: str | None,
        group_display_name: str = "",
        prefix_group_id: bool = True,
        parent_group: TaskGroup | None = None,
        dag: DAG | None = None,
        default_args: Mapping[str, Any] | None = None,
        tooltip: str = "",
        doc_md: str | None = None,
        ui_color: str = "CornflowerBlue",
        ui_fgcolor: str = "#000",
        add_suffix_on_collision: bool = False,
    ) -> None:
        if not isinstance(group_id, str):
            raise WrongArgument(f"group_id must be a text, not {group_id!r}")
        dag = dag or (parent_group.dag if parent_group is not None else None) or current_dag()
        parent = parent_group or current_group(dag)
        if dag is None or parent is None:
            raise WrongValue(f"task group {group_id!r} is in no DAG: make it inside `with DAG(...)` or pass dag=")
        own = checked_id("group id", group_id)
        full = parent.child_id(own)
        if add_suffix_on_collision:
            full = dag._free_id(full)
            own = full.removeprefix(parent.child_id("")) if parent.child_id("") else full
        self._set(dag, parent, full, own, prefix_group_id)
        self.group_display_name = group_display_name
        self.default_args = merged_defaults(None, parent, default_args)
        self.tooltip = tooltip
        self.doc_md = doc_md
        self.ui_color = ui_color
        self.ui_fgcolor = ui_fgcolor
        dag._enter_group(self, parent)

    default_args: dict[str, Any]

    def _set(self, dag: DAG, parent: TaskGroup | None, group_id: str | None, label: str | None, prefix: bool) -> None:
        self.dag = dag
        self.parent_group = parent
        self.group_id = group_id
        self.label = label
        self.prefix_group_id = prefix
        self.children: dict[str, Task | TaskGroup] = {}

    @classmethod
    def root_of(cls, dag: DAG) -> TaskGroup:
        """The group without a name around everything in a DAG."""
        root = object.__new__(TaskGroup)
        root._set(dag, None, None, None, True)
        root.group_display_name = ""
        root.default_args = {}
        root.tooltip = ""
        root.doc_md = None
        root.ui_color, root.ui_fgcolor = "CornflowerBlue", "#000"
        return root

    @property
    def is_root(self) -> bool:
        return self.group_id is None

    @property
    def node_id(self) -> str | None:
        return self.group_id

    @property
    def task_group(self) -> TaskGroup | None:
        """The group around this one."""
        return self.parent_group

    def child_id(self, label: str) -> str:
        """The full id of a child called `label`."""
        return f"{self.group_id}.{label}" if self.prefix_group_id and self.group_id else label

    def add(self, node: Task | TaskGroup) -> None:
        """Put a task that is in no DAG yet into this group."""
        if isinstance(node, TaskGroup):
            raise WrongValue(
                f"group {node.group_id!r} has its place already; make it with parent_group={self.group_id!r}"
            )
        if node.has_dag():
            from .exceptions import TaskAlreadyInTaskGroup

            there = node.task_group
            raise TaskAlreadyInTaskGroup(node.task_id, there.group_id if there else None, self.group_id or "")
        node._place(self.dag, self)

    def has_task(self, task: Task) -> bool:
        """Whether the task is in this group or in one inside it."""
        return any(task is one for one in self.iter_tasks())

    def get_child_by_label(self, label: str) -> Task | TaskGroup:
        """The direct child of this name. Raises KeyError when there is none."""
        return self.children[self.child_id(label)]

    def iter_tasks(self) -> Iterator[Task]:
        """All tasks inside, at any depth, in the order they were made."""
        for child in self.children.values():
            if isinstance(child, TaskGroup):
                yield from child.iter_tasks()
            else:
                yield child

    def iter_groups(self) -> Iterator[TaskGroup]:
        """All groups inside, at any depth."""
        for child in self.children.values():
            if isinstance(child, TaskGroup):
                yield child
                yield from child.iter_groups()

    def __iter__(self) -> Iterator[Task]:
        return self.iter_tasks()

    def iter_mapped_task_groups(self) -> Iterator[MappedTaskGroup]:
        """Mapped groups from this one outwards."""
        group: TaskGroup | None = self
        while group is not None:
            if isinstance(group, MappedTaskGroup):
                yield group
            group = group.parent_group

    @property
    def roots(self) -> Sequence[Task]:
        """Tasks inside that wait for nothing inside."""
        inside = {task.task_id for task in self.iter_tasks()}
        return [task for task in self.iter_tasks() if not (task.upstream_task_ids & inside)]

    @property
    def leaves(self) -> Sequence[Task]:
        """Tasks inside that nothing inside waits for. In place of a teardown stands the work before it: what follows
        a group
        does not wait for its cleaning up."""
        inside = {task.task_id: task for task in self.iter_tasks()}
        found: dict[Task, None] = {}
        for task in inside.values():
            if not (task.downstream_task_ids & inside.keys()):
                found |= dict.fromkeys(_without_teardowns(task, inside))
        return list(found)

    @property
    def upstream_task_ids(self) -> set[str]:
        """Tasks outside that something inside waits for."""
        inside = {task.task_id for task in self.iter_tasks()}
        return {one for task in self.iter_tasks() for one in task.upstream_task_ids} - inside

    @property
    def downstream_task_ids(self) -> set[str]:
        """Tasks outside that wait for something inside."""
        inside = {task.task_id for task in self.iter_tasks()}
        return {one for task in self.iter_tasks() for one in task.downstream_task_ids} - inside

    def get_roots(self) -> Iterator[Task]:
        yield from self.roots

    def get_leaves(self) -> Iterator[Task]:
        yield from self.leaves

    def __enter__(self) -> Self:
        building.groups.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        building.groups.remove(self)

    def __repr__(self) -> str:
        return f"<TaskGroup: {self.group_id}>"


class MappedTaskGroup(TaskGroup):
    """A group whose content runs once per item.

    Parameters:
        expansion: over what.
    """

    def __init__(self, *, expansion: Expansion, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.expansion = expansion

    def __exit__(self, *exception: object) -> None:
        super().__exit__(*exception)
        if exception[:1] == (None,):
            for task, _ in self.expansion.references():
                for root in self.roots:
                    if root is not task:
                        task.link_downstream(root)


def _without_teardowns(task: Task, inside: Mapping[str, Task]) -> Iterator[Task]:
    if not task.is_teardown:
        yield task
        return
    for task_id in sorted(task.upstream_task_ids & inside.keys()):
        before = inside[task_id]
        if not before.is_setup:
            yield from _without_teardowns(before, inside)


P = ParamSpec("P")
R = TypeVar("R")


class TaskGroupFactory(Generic[P, R]):
    """A function that makes a task group each time it is called (`@task_group`).

    Calling it gives what the function returns, or the group when it returns nothing.
    """

    is_task_decorator = True

    def __init__(self, function: Callable[P, R], arguments: dict[str, Any]) -> None:
        if not callable(function):
            raise WrongArgument(f"@task_group needs a function, not {function!r}")
        self.function = function
        self.arguments = {"group_id": function.__name__, "add_suffix_on_collision": True, **arguments}
        if not self.arguments.get("tooltip") and function.__doc__:
            self.arguments["tooltip"] = function.__doc__.strip()
        self.partial_kwargs: dict[str, Any] = {}
        self.__name__ = function.__name__
        self.__doc__ = function.__doc__
        self.__wrapped__ = function

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Any:
        if self.partial_kwargs:
            raise WrongArgument(f"task group {self.__name__!r}: after partial() call expand() or expand_kwargs()")
        from .binding import bind

        bind(self.function, args, kwargs, f"task group {self.__name__!r}")
        with TaskGroup(**self.arguments) as group:
            result = self.function(*args, **kwargs)
        return group if result is None else result

    def override(self, **kwargs: Any) -> TaskGroupFactory[P, R]:
        """The same with other arguments of the group (`group_id=...`)."""
        changed = TaskGroupFactory(self.function, {**self.arguments, **kwargs})
        changed.partial_kwargs = dict(self.partial_kwargs)
        return changed

    def partial(self, **kwargs: Any) -> TaskGroupFactory[P, R]:
        """Fix some arguments; `expand` gives the rest."""
        self._check_names("partial", kwargs)
        changed = TaskGroupFactory(self.function, self.arguments)
        changed.partial_kwargs = {**self.partial_kwargs, **kwargs}
        return changed

    def expand(self, **kwargs: Any) -> Any:
        """One run of the group per combination of items."""
        from .expansion import ByArgument, Expansion

        self._check_names("expand", kwargs)
        return self._expand(ByArgument(kwargs, f"task group {self.__name__!r}"), Expansion)

    def expand_kwargs(self, kwargs: Any) -> Any:
        """One run of the group per dict of arguments."""
        from .expansion import ByDict, Expansion

        return self._expand(ByDict(kwargs, f"task group {self.__name__!r}"), Expansion)

    def _expand(self, expansion: Expansion, _: type[Expansion]) -> Any:
        import inspect

        from .expansion import MappedArgument

        names = expansion.names()
        if names is None:
            names = [n for n in inspect.signature(self.function).parameters if n not in self.partial_kwargs]
        with MappedTaskGroup(expansion=expansion, **self.arguments) as group:
            items = {name: MappedArgument(group, name) for name in names}
            result = self.function(**self.partial_kwargs, **items)  # type: ignore[call-arg]
        return group if result is None else result

    def _check_names(self, what: str, kwargs: Mapping[str, Any]) -> None:
        from .binding import check_names

        check_names(self.function, what, kwargs, self.partial_kwargs, f"task group {self.__name__!r}")


@overload
def task_group(group_id: Callable[P, R]) -> TaskGroupFactory[P, R]: ...
@overload
def task_group(group_id: str | None = None, **kwargs: Any) -> Callable[[Callable[P, R]], TaskGroupFactory[P, R]]: ...


def task_group(group_id: Callable[P, R] | str | None = None, **kwargs: Any) -> Any:
    """Turn a function into a maker of task groups. Arguments are those of `TaskGroup`; the id defaults to the
    function's name."""
    if callable(group_id):
        return TaskGroupFactory(group_id, kwargs)
    if group_id is not None:
        kwargs["group_id"] = group_id
    return lambda function: TaskGroupFactory(function, kwargs)


__all__ = ["NOTSET", "MappedTaskGroup", "TaskGroup", "task_group"]
